"""Weeks in minutes: whatever happens to servers, certificates and responder, staples stay right.

The seed is printed. `STAPLECFG_SEED` plays the same programme again, and
`STAPLECFG_WEEKS` says how many lives of a staple it is to last (45 seconds each).
"""

from __future__ import annotations

import itertools
import os
import random
from datetime import datetime, timedelta, timezone

import pytest

from staplecfg.model.probe import Target, Tls
from tests.support.authority import Authority
from tests.support.count import Visitor
from tests.support.weeks.play import play
from tests.support.weeks.programme import LIFE, Out, Reload, Stage, Swap, Way, programme
from tests.support.weeks.report import HEAD, amiss, rows
from tests.support.weeks.responder import Answer, Interval
from tests.support.weeks.verdict import (
    EARLY,
    RECOVERY,
    Done,
    Reading,
    Run,
    Seen,
    judged,
    read,
    recovered,
    without,
)
from tests.support.weeks.visits import Visit
from tests.support.weeks.world import world

WEEKS = float(os.environ.get("STAPLECFG_WEEKS", "3"))
SEED = int(os.environ.get("STAPLECFG_SEED") or random.SystemRandom().randrange(1_000_000))


@pytest.mark.system
@pytest.mark.timeout(180 + 2 * WEEKS * LIFE)
def test_for_weeks_nobody_is_handed_anything_wrong_and_nobody_goes_without(tmp_path, capsys):
    seconds = WEEKS * LIFE
    with world(tmp_path) as made:
        stages = [server.stage for server in made.servers.values()]
        played = play(made, programme(SEED, seconds, stages), seconds, SEED)
        found = rows(played, made)

    with capsys.disabled():
        print(f"\nSTAPLECFG_SEED={SEED} STAPLECFG_WEEKS={WEEKS:g}", HEAD, *found, sep="\n")  # noqa: T201 - the table
        print(played.summary)  # noqa: T201 - ditto
    assert all(row.handshakes > seconds for row in found), "hardly anybody came"
    flaws = "\n".join(amiss(found, played))
    assert not flaws, f"STAPLECFG_SEED={SEED} STAPLECFG_WEEKS={WEEKS:g}\n{flaws}"


STAGES = [Stage("one", ("shop.example",), (Way.AHEAD, Way.WARM))]


@pytest.mark.parametrize("seed", range(50))
def test_every_programme_has_all_that_can_happen_and_an_outage_that_outlives_a_staple(seed):
    seconds = 3 * LIFE

    events = programme(seed, seconds, STAGES)

    assert events == programme(seed, seconds, STAGES)
    assert events != programme(seed + 1, seconds, STAGES)
    assert {type(event) for event in events} == {Out, Reload, Swap}
    outages = [event for event in events if isinstance(event, Out)]
    assert max(outage.seconds for outage in outages) > LIFE
    assert all(a.at + a.seconds < b.at for a, b in itertools.pairwise(outages))
    assert outages[-1].at + outages[-1].seconds < seconds - RECOVERY


# The table's times: a visit from 1000 to 1001, and whatever was before it.
VISITOR = Visitor(Target("127.0.0.1", 1), "shop.example", Tls.V1_3)
LEAF = b"leaf"
BOTH = frozenset({7, 8})
OUTAGE = Interval(1000, 1100)


def visit(*, leaf: bytes | None = LEAF, problem: str = "") -> Visit:
    return Visit("one", VISITOR, 1000.0, 1001.0, leaf, None, problem)


@pytest.mark.parametrize(
    ("reading", "bare", "seen"),
    [
        pytest.param(Reading("", 900, 1100), [], Seen.STAPLED, id="in the middle of its life"),
        pytest.param(Reading("", 900, 1000.5), [], Seen.STAPLED, id="ended while shaking hands"),
        pytest.param(Reading("", 1000.5, 1100), [], Seen.STAPLED, id="begun while shaking hands"),
        pytest.param(Reading("", 900, 1000), [], Seen.EXPIRED, id="ended before"),
        pytest.param(Reading("", 1002, 1100), [], Seen.WRONG, id="from the future"),
        pytest.param(Reading("about another", 900, 1100), [], Seen.WRONG, id="not for it"),
        pytest.param(None, [], Seen.UNSTAPLED, id="none, and never an outage"),
        pytest.param(None, [Interval(950, 999)], Seen.UNSTAPLED, id="an outage long ago"),
        pytest.param(None, [Interval(1002, 1050)], Seen.UNSTAPLED, id="an outage later"),
        pytest.param(None, [Interval(900, 1000.5)], Seen.IMPOSSIBLE, id="just back"),
        pytest.param(None, [Interval(900, 1100)], Seen.IMPOSSIBLE, id="in an outage"),
        pytest.param(
            None,
            [Interval(100, 200), Interval(900, 1100)],
            Seen.IMPOSSIBLE,
            id="in the second outage",
        ),
        pytest.param(
            Reading("", 900, 1000), [Interval(900, 1100)], Seen.EXPIRED, id="no excuse for expired"
        ),
    ],
)
def test_a_visit_is_judged_by_what_came_and_what_could_have_come(reading, bare, seen):
    assert judged(visit(), reading, bare, Done()) is seen


def test_who_is_not_let_in_is_refused_whatever_there_was():
    bare = [Interval(900, 1100)]

    assert judged(visit(leaf=None), None, bare, Done()) is Seen.REFUSED
    assert judged(visit(problem="cut off"), Reading("", 900, 1100), [], Done()) is Seen.REFUSED


EVERY_SECOND = [Run(900 + n, 900.9 + n) for n in range(100)]


@pytest.mark.parametrize(
    ("runs", "seen"),
    [
        pytest.param([], Seen.EXPIRED, id="nobody ran it"),
        pytest.param(EVERY_SECOND, Seen.EXPIRED, id="many had the time"),
        pytest.param([Run(980, 984)], Seen.EXPIRED, id="the last one was long before"),
        pytest.param([Run(994, 997.5)], Seen.EXPIRED, id="one had the time"),
        pytest.param([Run(980, 993, 10), Run(994, 998)], Seen.EXPIRED, id="late, and made up"),
        pytest.param([Run(997, 1000.5)], Seen.EXPIRED, id="one that was too late began late"),
        pytest.param([Run(990, 1003, 10)], Seen.LATE, id="one was kept for ten seconds"),
        pytest.param([Run(990, 1003)], Seen.EXPIRED, id="one took three times what it may"),
        pytest.param([Run(990, 1010, 1)], Seen.EXPIRED, id="it slept, on a busy machine"),
        pytest.param([Run(985, 995, 7), Run(996, 1002, 3)], Seen.LATE, id="two were kept"),
        pytest.param([Run(984, 996), Run(997, 1004, 3)], Seen.EXPIRED, id="one of two was slow"),
        pytest.param([Run(990, 999.5, 0.3)], Seen.EXPIRED, id="slow, on an idle machine"),
    ],
)
def test_what_has_ended_is_excused_only_where_the_machine_kept_no_schedule(runs, seen):
    assert judged(visit(), Reading("", 900, 999), [], Done(runs, runs)) is seen


def test_a_run_that_had_to_wait_for_something_else_is_late_too():
    swap, run = Run(989, 998, 6), Run(998, 1001)

    assert judged(visit(), Reading("", 900, 999), [], Done([run], [run, swap])) is Seen.LATE
    assert judged(visit(), Reading("", 900, 999), [], Done([run], [run])) is Seen.EXPIRED


@pytest.mark.parametrize(
    ("runs", "end"),
    [
        pytest.param([Run(1103, 1104), Run(1105, 1106)], 1104, id="the first asks"),
        pytest.param([Run(1101, 1102), Run(1103, 1104)], 1104, id="not in the backoff"),
        pytest.param(
            [Run(1099, 1101), Run(1102, 1103), Run(1104, 1105)], 1105, id="one failed late"
        ),
        pytest.param([Run(1090, 1110, 18), Run(1113, 1130, 15)], 1130, id="a slow machine"),
        pytest.param([Run(1090, 1110), Run(1103, 1130)], 1113, id="a slow tool"),
        pytest.param([], 1102 + RECOVERY, id="nobody ran it"),
        pytest.param([Run(1150, 1151)], 1102 + RECOVERY, id="nobody ran it for long"),
    ],
)
def test_after_an_outage_it_is_served_when_the_first_run_that_asks_has_ended(runs, end):
    assert recovered([OUTAGE], Done(runs, runs, runs)) == [Interval(OUTAGE.begins, end)]


def test_what_was_deployed_after_it_is_asked_about_by_the_first_run_after_that():
    runs = [Run(1103, 1104), Run(1106, 1107)]

    assert recovered([OUTAGE], Done(runs, runs, runs), 1105) == [Interval(OUTAGE.begins, 1107)]


def answer(at: float, ends: float, serials: frozenset[int] = BOTH) -> Answer:
    return Answer(at, serials, at, ends + EARLY)


@pytest.mark.parametrize(
    ("answers", "bare"),
    [
        pytest.param([answer(990, 1200)], [], id="one that outlives the outage"),
        pytest.param([answer(990, 1050), answer(995, 1200)], [], id="the later one does"),
        pytest.param([], [OUTAGE], id="none"),
        pytest.param([answer(900, 950)], [OUTAGE], id="one that had ended"),
        pytest.param([answer(990, 1050)], [Interval(1050, 1100)], id="one that ends within"),
        pytest.param([answer(1100.5, 1200)], [OUTAGE], id="one that came afterwards"),
        pytest.param(
            [answer(990, 1200, frozenset({7})), answer(990, 1200, frozenset({8}))],
            [OUTAGE],
            id="one for each, and one file for both",
        ),
        pytest.param([answer(990, 1200, BOTH | {9})], [], id="about more than was needed"),
    ],
)
def test_a_block_has_to_go_without_only_in_an_outage_that_no_answer_outlives(answers, bare):
    assert without(BOTH, answers, [OUTAGE]) == bare


@pytest.mark.parametrize(
    ("deployed", "bare"),
    [
        pytest.param(900, [OUTAGE], id="before the outage"),
        pytest.param(1040, [Interval(1040, 1100)], id="in the middle of it"),
        pytest.param(1101, [], id="after it"),
    ],
)
def test_an_outage_before_it_was_deployed_is_no_excuse(deployed, bare):
    assert without(BOTH, [], [OUTAGE], deployed) == bare


NOW = datetime(2026, 1, 15, 12, tzinfo=timezone.utc)
MINUTE = timedelta(minutes=1)


def test_staples_are_read_as_clients_do():
    authority = Authority.create()
    shop, blog = authority.leaf(["shop.example"]), authority.leaf(["blog.example"])
    issuer = authority.intermediate.cert

    def reading(der: bytes) -> Reading:
        return read(der, shop.cert, issuer)

    good = authority.respond(shop, now=NOW, this_update=NOW, next_update=MINUTE)
    shared = authority.respond(blog, now=NOW, also=[authority.single(shop, now=NOW)])
    stranger = Authority.create(keys="other").intermediate

    assert reading(good) == Reading("", NOW.timestamp(), (NOW + MINUTE).timestamp())
    assert reading(shared).problem == ""
    assert "another certificate" in reading(authority.respond(blog, now=NOW)).problem
    assert "signature" in reading(authority.respond(shop, now=NOW, forge=True)).problem
    assert "signature" in reading(authority.respond(shop, now=NOW, signer=stranger)).problem
    assert "REVOKED" in reading(authority.respond(shop, now=NOW, status="revoked")).problem
    assert "never ends" in reading(authority.respond(shop, now=NOW, next_update=None)).problem
    assert "TRY_LATER" in reading(authority.respond(shop, now=NOW, response_status=3)).problem
    assert "no response" in reading(b"nonsense").problem
