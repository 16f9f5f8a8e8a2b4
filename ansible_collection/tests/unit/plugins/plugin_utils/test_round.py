# Copyright: The staplecfg engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64

import pytest

from ansible_collections.staplecfg.stapling.plugins.module_utils._runner import Trouble
from ansible_collections.staplecfg.stapling.plugins.plugin_utils._cache import Entry
from ansible_collections.staplecfg.stapling.plugins.plugin_utils._round import MOST_ASKED, MOST_WAITED, Round

REFUSED = {"outcome": "rejected", "problem": "one question at a time"}
DOWN = {"outcome": "unreachable", "problem": "it is down"}
GOOD = {"der": b"der", "this_update": 100.0, "expires": 9e9}


class Asking:
    """Knows what it is given, by how many are asked about at once; the next tick of the clock is a step away."""

    def __init__(self, *, step=0.0, **known):
        self.known = {1: known.get("one", GOOD), 2: known.get("two", GOOD)}
        self.step = step
        self.time = 1000.0
        self.asked = []

    def now(self):
        self.time += self.step
        return self.time

    def entry(self, chains, _newer_than, may_ask):
        known = self.known[len(chains)]
        if may_ask:
            self.asked.append(chains)
        if isinstance(known, Exception) and may_ask:
            raise known
        return Entry(**known) if may_ask else Entry(), may_ask


def due(number):
    return {"fingerprint": str(number), "chain": f"PEM {number}"}


def held(number, since=None, responder="http://r"):
    staple = None if since is None else {"this_update": f"1970-01-01T00:0{since}:00Z", "freshness": "due"}
    return {"fingerprint": str(number), "responders": [responder], "staple": staple}


def asked(asking, groups, rows):
    made = Round(asking, rows)
    for group in groups:
        made.ask([due(each) for each in group])
    return made


def test_one_response_about_both_is_handed_over_once():
    asking = Asking(one=DOWN)
    made = asked(asking, [[1, 2]], [held(1), held(2)])

    assert asking.asked == [("PEM 1", "PEM 2")]
    assert [base64.b64decode(each) for each in made.responses] == [b"der"]
    assert (made.fetched, sorted(made.told)) == (["1", "2"], ["1", "2"])


@pytest.mark.parametrize("two", [REFUSED, {**REFUSED, "revoked": True}, Trouble("the PEM of one of them is none")])
def test_where_there_is_none_each_is_asked_about_alone(two):
    asking = Asking(two=two)
    made = asked(asking, [[1, 2]], [held(1), held(2)])

    assert asking.asked[-2:] == [("PEM 1",), ("PEM 2",)]
    assert (len(made.responses), made.fetched) == (2, ["1", "2"])
    assert [entry.problem for entry, _asked in made.told.values()] == [None, None]


def test_of_a_responder_that_is_silent_that_is_not_expected():
    asking = Asking(two=DOWN)
    made = asked(asking, [[1, 2]], [held(1), held(2)])

    assert (asking.asked, made.responses) == ([("PEM 1", "PEM 2")], [])
    assert [entry.problem for entry, _asked in made.told.values()] == ["it is down", "it is down"]


def test_one_about_both_that_is_refused_now_and_kept_from_before_is_still_good():
    asking = Asking(two={**GOOD, **REFUSED})
    made = asked(asking, [[1, 2]], [held(1), held(2, since=1)])

    assert (len(asking.asked), len(made.responses)) == (1, 1)


def test_one_about_both_need_not_be_newer_and_one_about_one_must():
    same = {**GOOD, "this_update": 60.0}
    rows = [held(1, since=1), held(2, since=1)]

    assert len(asked(Asking(two=same), [[1, 2]], rows).responses) == 1
    assert asked(Asking(one=same), [[1]], rows).responses == []
    assert asked(Asking(two={**same, "this_update": 59.0}), [[1, 2]], rows).responses == []


def test_two_that_the_host_has_tell_it_that_there_is_no_common_one():
    same = {**GOOD, "this_update": 60.0}
    rows = [held(1, since=1), held(2, since=1)]

    assert len(asked(Asking(one=same, two=REFUSED), [[1, 2]], rows).responses) == 2
    assert asked(Asking(one={**same, "this_update": 59.0}, two=REFUSED), [[1, 2]], rows).responses == []


def test_trouble_with_one_is_no_reason_to_forget_the_others():
    made = asked(Asking(one=Trouble("too long")), [[1], [2, 3]], [held(1), held(2), held(3)])

    assert (made.told["1"][0].problem, made.fetched, len(made.responses)) == ("too long", ["2", "3"], 1)


def test_a_flood_of_certificates_is_not_a_flood_of_questions():
    number = MOST_ASKED + 2
    asking = Asking()
    made = asked(asking, [[each] for each in range(number)], [])

    assert len(asking.asked) == MOST_ASKED
    assert [asked for _entry, asked in list(made.told.values())[-3:]] == [True, False, False]
    assert "run it again" in made.told[str(number - 1)][0].problem


def test_nor_is_one_of_what_is_no_certificate():
    asking = Asking(one=Trouble("no PEM"), two=Trouble("no PEM"))
    asked(asking, [[each, -each] for each in range(1, MOST_ASKED)], [])

    assert len(asking.asked) == MOST_ASKED


def test_responders_that_keep_one_waiting_are_not_waited_for_all_night():
    asking = Asking(one=DOWN, step=50.0)
    made = asked(asking, [[each] for each in range(100)], [held(each, responder=str(each)) for each in range(100)])

    # The clock is looked at twice while one waits.
    assert len(asking.asked) == MOST_WAITED // 50
    assert "without an answer" in made.told["99"][0].problem
