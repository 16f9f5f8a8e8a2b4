"""SIGKILL at every write, rename, link, unlink and sync of apply, warm and remove, in turn."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.support import killpoints
from tests.support.killed import Bench, killed_everywhere
from tests.support.lab import Lab

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]

SITES = ("shop.example", "blog.example")


@contextmanager
def bench(tmp_path: Path) -> Iterator[tuple[Lab, Bench]]:
    with Lab.make(tmp_path / "lab", sites=SITES) as lab:
        yield lab, Bench(lab, tmp_path / "aside")


def test_apply_killed_at_every_point(tmp_path, record_property, capfd):
    with bench(tmp_path) as (lab, here):
        points = killed_everywhere(here, "apply", "--unscheduled")

        assert points > 40
        # And from the same beginning, undisturbed, it does its work.
        assert lab.apply().status == 0
    record_property("points", points)
    with capfd.disabled():
        print(f"\napply: killed at {points} points")  # noqa: T201


def test_remove_killed_at_every_point(tmp_path, record_property, capfd):
    with bench(tmp_path) as (lab, here):
        assert lab.apply().status == 0

        points = killed_everywhere(here, "remove")

        assert points > 15
    record_property("points", points)
    with capfd.disabled():
        print(f"\nremove: killed at {points} points")  # noqa: T201


def test_warm_killed_at_every_point(tmp_path, record_property, capfd):
    with bench(tmp_path) as (lab, here):
        assert lab.apply().status == 0
        time.sleep(1.1)  # thisUpdate counts in seconds, and the next answer must be a newer one

        points = killed_everywhere(here, "warm", "--force")

        assert points > 20
    record_property("points", points)
    with capfd.disabled():
        print(f"\nwarm: killed at {points} points")  # noqa: T201


def test_what_a_killed_run_left_is_told_until_it_is_undone(tmp_path):
    with bench(tmp_path) as (lab, here):
        here.keep()
        points = killpoints.count(here.act("apply", "--unscheduled"))
        here.put_back()
        manifest = lab.state / "journal" / "manifest.json"
        told = {"check": False, "diff": False}
        for n in range(points, 0, -1):
            here.put_back()
            killpoints.kill_at(n, here.act("apply", "--unscheduled"))
            if manifest.exists():
                break

        for command in told:
            document = lab.cli(command, "--format", "json").document
            found = [each for each in document["findings"] if each["rule"] == "interrupted-run"]
            told[command] = [each["file"] for each in found] == [str(manifest)]

        assert told == {"check": True, "diff": True}
        assert lab.cli("warm", "--offline").status in {0, 1}
        after = lab.cli("check", "--format", "json").document["findings"]
        assert "interrupted-run" not in [each["rule"] for each in after]
