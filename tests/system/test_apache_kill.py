"""SIGKILL at every write, rename, link, unlink and sync of apply, warm and remove on Apache.

`-t` is content with what a server dies of, so every configuration that is found
after a kill is also given to real ones: they start with it, and one that ran by
what was there before takes it up when somebody else reloads it.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.support.apache_lab import ApacheLab
from tests.support.apache_seen import ITS_OWN
from tests.support.killed import Bench, killed_everywhere

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]

OURS = "staplecfg.conf"
"""The file with our cache, and the link to it in Debian's tree."""


@contextmanager
def bench(tmp_path: Path, *, stock: bool = False) -> Iterator[tuple[ApacheLab, Bench]]:
    with ApacheLab.make(tmp_path / "lab", stock=stock) as lab:
        yield lab, Bench(lab, tmp_path / "aside")


def reads_ours(files: Mapping[str, bytes]) -> bool:
    """Say whether a server with `files` has our cache."""
    return f"conf-enabled/{OURS}" in files or OURS.encode() in files.get("httpd.conf", b"")


def require_bearable(lab: ApacheLab, here: Bench) -> None:
    """Start a server as it was before, and reload it with each half-done configuration.

    One that is without the cache which that server has read can only be started:
    no httpd survives the other, so remove comes to it last, and restarts.
    """
    had = reads_ours(lab.files())
    for found, copy in here.half.items():
        here.put_back()
        lab.apache.start()
        here.configure(copy, but=ITS_OWN)
        if had and not reads_ours(dict(found)):
            assert not any(b"SSLUseStapling on" in each for _, each in found)
        else:
            lab.apache.graceful()
        lab.apache.restart()
        lab.apache.stop()
    here.put_back()


def test_apply_killed_at_every_point(tmp_path, record_property, capfd):
    with bench(tmp_path, stock=True) as (lab, here):
        points = killed_everywhere(here, "apply", "--unscheduled")

        assert points > 40
        assert len(here.half) > 3
        require_bearable(lab, here)
        # And from the same beginning, undisturbed, it does its work.
        assert lab.apply().status == 0
    record_property("points", points)
    with capfd.disabled():
        print(f"\napply: killed at {points} points")  # noqa: T201


def test_remove_killed_at_every_point(tmp_path, record_property, capfd):
    """In a plain layout, where the main file has a line of ours too."""
    with bench(tmp_path) as (lab, here):
        assert lab.apply().status == 0

        points = killed_everywhere(here, "remove")

        assert points > 15
        assert len(here.half) > 3
        require_bearable(lab, here)
    record_property("points", points)
    with capfd.disabled():
        print(f"\nremove: killed at {points} points")  # noqa: T201


def test_warm_killed_at_every_point(tmp_path, record_property, capfd):
    with bench(tmp_path) as (lab, here):
        assert lab.apply().status == 0
        time.sleep(1.1)  # thisUpdate counts in seconds, and the next answer must be a newer one

        points = killed_everywhere(here, "warm", "--force")

        assert points > 10
    record_property("points", points)
    with capfd.disabled():
        print(f"\nwarm: killed at {points} points")  # noqa: T201
