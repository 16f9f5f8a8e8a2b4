"""Metrics and the monitor's line, for any name and any condition."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import pytest

from staplecfg.cli.output import nagios, prometheus
from staplecfg.model.errors import Unreadable
from staplecfg.model.facts import Attempts, Stored
from staplecfg.planning.attention import Condition, InUse
from staplecfg.planning.status import Status
from tests.support.facts import DAY, NOW, SHOP, SHOP_PEM, STRICT, http, server, staple
from tests.support.planned import machine
from tests.support.sites import chain

if TYPE_CHECKING:
    from tests.support.authority import Issued

PROMTOOL = shutil.which(os.environ.get("STAPLECFG_PROMTOOL", "promtool"))
ODD = 'a"b\\c\nd|e\x1b[1m\udcffä'
"""All that a path may hold and a line format may trip over."""


def status(*used: InUse) -> Status:
    return Status(machine(http(server()), {SHOP_PEM: SHOP}), used, 1)


def one(
    condition: Condition,
    problem: str | None = None,
    *,
    issued: Issued = SHOP,
    path: str = SHOP_PEM,
    held: bool = True,
) -> InUse:
    presented = replace(chain(issued), path=PurePosixPath(path))
    stored = Stored(staple(issued) if held else None)
    tries = Attempts(issued.sha256, last_try=NOW - DAY, failures=2)
    return InUse(presented, (), condition, problem, stored, tries)


EVERYTHING = status(
    one(Condition.FRESH),
    one(Condition.REVOKED, f"{ODD}: revoked", path=f"/{ODD}.pem", issued=STRICT),
    one(Condition.MISSING, "none", path="/missing.pem", held=False),
)


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed (Debian: prometheus)")
@pytest.mark.parametrize("targets", [[], [EVERYTHING]], ids=["nothing", "everything"])
def test_promtool_accepts_the_metrics(targets):
    checked = subprocess.run(
        [str(PROMTOOL), "check", "metrics"],
        input=prometheus.text(targets, unreadable=0, now=NOW).encode(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )

    assert (checked.returncode, checked.stdout) == (0, b"")


def test_the_samples_of_one_name_stand_together_after_its_help():
    lines = prometheus.text([EVERYTHING], unreadable=0, now=NOW).splitlines()
    names = [line.split("{")[0].split(" ")[0] for line in lines if not line.startswith("#")]
    told = [line.split(" ")[2] for line in lines if line.startswith("# TYPE")]

    assert list(dict.fromkeys(names)) == told
    assert names == sorted(names, key=told.index)


def test_a_label_is_one_line_that_unescapes_to_what_is_shown():
    text = prometheus.text([EVERYTHING], unreadable=0, now=NOW)

    assert 'certificate="/a\\"b\\\\c\\\\nd|e\\\\x1b[1m\\\\xffä.pem"' in text


def test_a_time_there_is_not_has_no_sample():
    text = prometheus.text([status(one(Condition.MISSING, held=False))], unreadable=0, now=NOW)

    assert "staplecfg_staple_expires_timestamp_seconds" not in text
    assert "staplecfg_staple_last_try_timestamp_seconds{" in text


@pytest.mark.parametrize(
    ("used", "errors", "state"),
    [
        pytest.param([], [], nagios.State.OK, id="nothing in use"),
        pytest.param([one(Condition.FRESH)], [], nagios.State.OK, id="fresh"),
        pytest.param(
            [one(Condition.UNANSWERED, held=False)], [], nagios.State.OK, id="nobody to ask"
        ),
        pytest.param([one(Condition.EXPIRING, "x")], [], nagios.State.WARNING, id="expiring"),
        pytest.param(
            [one(Condition.MISSING, "x", held=False)], [], nagios.State.WARNING, id="missing"
        ),
        pytest.param(
            [one(Condition.MISSING, "x", held=False, issued=STRICT)],
            [],
            nagios.State.CRITICAL,
            id="missing and demanded",
        ),
        pytest.param([one(Condition.EXPIRED, "x")], [], nagios.State.CRITICAL, id="expired"),
        pytest.param([one(Condition.REVOKED, "x")], [], nagios.State.CRITICAL, id="revoked"),
        pytest.param(
            [one(Condition.FRESH)], [Unreadable("x")], nagios.State.UNKNOWN, id="one unreadable"
        ),
        pytest.param(
            [one(Condition.REVOKED, "x")],
            [Unreadable("x")],
            nagios.State.CRITICAL,
            id="what is known to be bad outweighs what is not known",
        ),
    ],
)
def test_the_monitor_is_told_one_line_and_one_of_four_states(used, errors, state):
    line, told = nagios.line([status(*used)], errors)

    assert told is state
    assert line.startswith(f"STAPLECFG {state.name} - ")


def test_whatever_a_name_holds_the_line_is_one_line_with_one_bar():
    line, _ = nagios.line([EVERYTHING], [])

    assert line.count("|") == 1
    assert line.isprintable()
