# Copyright: The staplecfg engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os

import pytest

from ansible_collections.staplecfg.stapling.plugins.module_utils._runner import Trouble
from ansible_collections.staplecfg.stapling.plugins.plugin_utils._asking import MOST, Asking, NoTool, Slow, runner
from ansible_collections.staplecfg.stapling.plugins.plugin_utils._cache import Cache, CacheTrouble

STAPLE = {"this_update": "1970-01-01T00:01:40Z", "due": "1970-01-01T02:00:00Z", "expires": "1970-01-01T04:00:00Z"}
GOOD = {"verdict": "good", "problem": None, "reason": None, "staple": STAPLE}
DOWN = {"verdict": "unreachable", "problem": "it is down", "reason": None, "staple": None}
REVOKED = {"verdict": "rejected", "problem": "it is revoked", "reason": "revoked", "staple": None}


class Tool:
    """Answers with the judgements it is given, and remembers what it was asked."""

    def __init__(self, *judgements):
        self.judgements = list(judgements)
        self.calls = []
        self.more = {}

    def run(self, command, *words):
        self.calls.append((command, *words))
        judgement = self.judgements.pop(0)
        if judgement["verdict"] == "good":
            with open(words[1].partition("=")[2], "wb") as file:
                file.write(b"der")
        with open(words[0], encoding="utf-8") as file:
            self.asked_about = file.read()
        return {"judgement": judgement, **self.more}


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


def asking(tmp_path, *judgements):
    tool, clock = Tool(*judgements), Clock()
    return Asking(lambda: tool, ["--trust=/root.pem"], Cache(str(tmp_path / "cache")), clock), tool, clock


def test_many_hosts_and_one_question(tmp_path):
    asks, tool, _clock = asking(tmp_path, GOOD)

    first, asked = asks.entry(["PEM"])
    others = [asks.entry(["PEM"]) for _each in range(5)]

    assert (first.der, asked) == (b"der", True)
    assert [(entry.der, again) for entry, again in others] == [(b"der", False)] * 5
    assert tool.asked_about == "PEM"
    assert tool.calls[0][0] == "fetch"
    assert tool.calls[0][3] == "--trust=/root.pem"


def test_another_issuer_is_another_question(tmp_path):
    asks, tool, _clock = asking(tmp_path, GOOD, DOWN)

    asks.entry(["leaf and issuer"])
    entry, asked = asks.entry(["leaf and impostor"])

    assert (entry.der, asked, len(tool.calls)) == (None, True, 2)


def test_several_are_one_question(tmp_path):
    asks, tool, _clock = asking(tmp_path, GOOD, GOOD)

    entry, _asked = asks.entry(["PEM one", "PEM two"])
    again = [asks.entry(chains)[1] for chains in (["PEM one", "PEM two"], ["PEM one"])]

    assert (entry.der, again) == (b"der", [False, True])
    first, beside = tool.calls[0][1], tool.calls[0][3].partition("--beside=")[2]
    assert [os.path.dirname(first), first != beside] == [os.path.dirname(beside), True]
    assert len(tool.calls) == 2


def test_a_responder_that_answers_singly_is_asked_about_several_once_a_day(tmp_path):
    asks, tool, clock = asking(tmp_path, {**DOWN, "verdict": "rejected"}, GOOD)
    tool.more = {"only_singly": True}
    asks.entry(["PEM one", "PEM two"])

    clock.now += 86399
    assert asks.entry(["PEM one", "PEM two"])[1] is False
    clock.now += 1
    assert asks.entry(["PEM one", "PEM two"])[1] is True


@pytest.mark.parametrize(
    "reason, outcome",
    [("other-certificate", "rejected"), ("revoked", "rejected"), ("unknown", "rejected"), ("unsuccessful", "unreachable"), ("time", "unreachable")],
)
def test_of_a_responder_with_a_bad_moment_nobody_says_that_it_answers_singly(tmp_path, reason, outcome):
    asks, tool, _clock = asking(tmp_path, {**REVOKED, "reason": reason}, {**REVOKED, "reason": reason})
    tool.more = {"only_singly": reason == "other-certificate"}

    assert asks.entry(["PEM one", "PEM two"])[0].outcome == outcome
    tool.more = {}
    assert asks.entry(["PEM one"])[0].outcome == "rejected"


def test_a_failure_is_remembered_for_five_minutes(tmp_path):
    asks, tool, clock = asking(tmp_path, DOWN, GOOD)

    assert asks.entry(["PEM"])[0].problem == "it is down"
    clock.now += 299
    assert asks.entry(["PEM"])[1] is False
    clock.now += 1
    entry, asked = asks.entry(["PEM"])

    assert (entry.der, entry.problem, asked, len(tool.calls)) == (b"der", None, True, 2)


def test_an_older_response_outlives_a_failure(tmp_path):
    asks, _tool, clock = asking(tmp_path, GOOD, DOWN)
    asks.entry(["PEM"])
    clock.now = 8000.0

    entry, asked = asks.entry(["PEM"])

    assert (entry.problem, asked, entry.usable(clock.now, None)) == ("it is down", True, True)


def test_what_is_revoked_is_handed_to_nobody(tmp_path):
    asks, _tool, clock = asking(tmp_path, GOOD, REVOKED)
    asks.entry(["PEM"])
    clock.now = 8000.0

    entry, _asked = asks.entry(["PEM"])

    assert (entry.revoked, entry.usable(clock.now, None)) == (True, False)


def test_a_host_that_has_it_already_is_a_reason_to_ask_once_an_hour(tmp_path):
    asks, tool, clock = asking(tmp_path, GOOD, GOOD)
    asks.entry(["PEM"])

    assert asks.entry(["PEM"], 100.0)[1] is False
    clock.now += 3600
    assert asks.entry(["PEM"], 100.0)[1] is True
    assert asks.entry(["PEM"], 100.0)[1] is False
    assert len(tool.calls) == 2


def test_a_flood_of_certificates_is_refused(tmp_path):
    asks, tool, _clock = asking(tmp_path)

    with pytest.raises(Trouble, match="at most"):
        asks.entry(["x" * MOST, "x"])
    assert tool.calls == []


def test_no_tool_on_the_control_node_says_what_to_do(tmp_path):
    with pytest.raises(NoTool, match="fetch_on=host"):
        runner(str(tmp_path / "nothing"), {"PATH": str(tmp_path)})


def test_the_tool_runs_without_a_shell_and_with_our_environment(tmp_path):
    program = tmp_path / "tool"
    program.write_text('#!/bin/sh\nprintf \'{"schema": 1, "words": "%s", "locale": "%s"}\' "$*" "$LC_ALL"\n')
    program.chmod(0o755)

    document = runner(str(program), {"PATH": "/usr/bin:/bin"}).run("fetch", "$HOME; true")

    assert document == {"schema": 1, "words": "fetch $HOME; true --format=json", "locale": "C.UTF-8"}


def test_a_program_that_does_not_end_is_ended(tmp_path):
    program = tmp_path / "tool"
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    program.chmod(0o755)

    with pytest.raises(Slow, match="did not end within"):
        runner(str(program), {"PATH": "/usr/bin:/bin"}, 0.2).run("fetch")


def test_a_program_of_another_machine_is_said_to_be_one(tmp_path):
    program = tmp_path / "tool"
    program.write_bytes(b"\x7fELF nonsense")
    program.chmod(0o755)

    with pytest.raises(Trouble, match="cannot be run: Exec format error"):
        runner(str(program), {"PATH": "/usr/bin:/bin"}).run("fetch")


class Hanging:
    """Never answers; counts how often that was waited for."""

    def __init__(self):
        self.calls = 0

    def run(self, *_words):
        self.calls += 1
        raise Slow("it did not end")


def test_a_tool_that_hangs_keeps_others_waiting_once(tmp_path):
    tool = Hanging()
    asks = Asking(lambda: tool, [], Cache(str(tmp_path / "cache")), Clock())

    first, again = asks.entry(["PEM"]), asks.entry(["PEM"])

    assert (first[0].problem, first[0].outcome) == ("it did not end", "unreachable")
    assert (again[0].problem, again[1], tool.calls) == ("it did not end", False, 1)


def test_who_asks_in_another_way_is_not_told_how_the_first_way_failed(tmp_path):
    cache, tool = Cache(str(tmp_path / "cache")), Tool(DOWN, GOOD)
    Asking(lambda: tool, [], cache, Clock()).entry(["PEM"])

    entry, asked = Asking(lambda: tool, ["--allow-network=10.0.0.0/8"], cache, Clock()).entry(["PEM"])

    assert (entry.der, asked) == (b"der", True)


def test_who_may_not_ask_is_told_what_is_known(tmp_path):
    asks, tool, clock = asking(tmp_path, GOOD)
    asks.entry(["PEM"])
    clock.now = 8000.0

    entry, asked = asks.entry(["PEM"], may_ask=False)

    assert (entry.der, asked, len(tool.calls)) == (b"der", False, 1)


def test_a_cache_that_cannot_be_used_says_where(tmp_path):
    cache = Cache(str(tmp_path / "cache"))
    (tmp_path / "cache").rmdir()

    with pytest.raises(CacheTrouble, match=r"/cache/\w+\.lock: cannot be used: No such file"):
        Asking(lambda: None, [], cache, Clock()).entry(["PEM"])
