"""The rule about a run that was killed half-way."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath

from tests.support.facts import SHOP, SHOP_PEM, hints, http, server, told
from tests.support.planned import machine, plan, rules

JOURNAL = PurePosixPath("/var/lib/staplecfg/journal/manifest.json")


def test_no_journal_is_no_news():
    assert told("interrupted-run", machine(http(server()), {SHOP_PEM: SHOP})) == []


def test_a_journal_is_told_with_what_undoes_it():
    left = replace(machine(http(server()), {SHOP_PEM: SHOP}), interrupted=JOURNAL)

    assert told("interrupted-run", left) == [
        f"{JOURNAL}: a run of staplecfg was interrupted half-way, or is under way just now"
    ]
    assert hints("interrupted-run", left) == ["run staplecfg warm, which undoes it first"]


def test_a_plan_tells_it_too():
    left = replace(machine(http(server()), {SHOP_PEM: SHOP}), interrupted=JOURNAL)

    assert "interrupted-run" in rules(plan(left))
