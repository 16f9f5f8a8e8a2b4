"""SIGKILL at every write, rename, link, unlink and sync of apply, warm and remove, in turn."""

from __future__ import annotations

import shutil
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from staplecfg.cli.main import main
from tests.support import killpoints
from tests.support.lab import Lab

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]

SITES = ("shop.example", "blog.example")


@dataclass
class Bench:
    """A laboratory that can be put back to where it began, as often as it takes."""

    lab: Lab
    aside: Path

    def keep(self) -> None:
        """Remember configuration and state as they are now."""
        shutil.rmtree(self.aside, ignore_errors=True)
        for name in ("nginx", "state"):
            if (self.lab.root / name).exists():
                shutil.copytree(self.lab.root / name, self.aside / name, symlinks=True)

    def put_back(self) -> None:
        """Put configuration and state back to what was kept."""
        for name in ("nginx", "state"):
            shutil.rmtree(self.lab.root / name, ignore_errors=True)
            if (self.aside / name).exists():
                shutil.copytree(self.aside / name, self.lab.root / name, symlinks=True)

    def act(self, *words: str) -> Callable[[], int]:
        """Return the action that runs staplecfg with `words`."""
        arguments = self.lab.arguments(*words)
        return lambda: main(arguments)

    def litter(self) -> list[Path]:
        """Return every temporary file of ours, wherever it is."""
        return list(self.lab.root.rglob(".staplecfg-*"))

    def staples(self) -> dict[str, bytes]:
        """Return the staples in the store, by name."""
        return {path.name: path.read_bytes() for path in (self.lab.state / "store").glob("*.der")}


@contextmanager
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Lab.make(tmp_path / "lab", sites=SITES) as lab:
        yield Bench(lab, tmp_path / "aside")


def survives(here: Bench, action: Callable[[], int], new: dict[str, bytes], n: int) -> None:
    """Kill `action` at its point `n`, and require what was promised."""
    old = here.lab.files()
    good = here.staples()

    ended = killpoints.kill_at(n, action)

    assert ended.killed, f"point {n} was not met: {ended.error}"
    tested = here.lab.nginx.test()
    assert tested.returncode == 0, f"killed at point {n}: {tested.stderr}"
    for name, content in here.lab.files().items():
        assert content in {old.get(name), new.get(name)}, (
            f"point {n}: {name} is neither old nor new"
        )

    again = here.lab.cli("warm", "--offline")
    assert again.status in {0, 1}, f"after point {n}: {again}"
    assert here.lab.files() in (old, new), f"point {n}: half of it was undone"
    assert here.litter() == [], f"point {n}"
    assert not (here.lab.state / "journal").exists(), f"point {n}"
    for name, der in good.items():
        assert name in here.staples(), f"point {n}: a staple was lost"
        assert here.staples()[name] == der or len(here.staples()[name]) > 0
    assert here.lab.nginx.test().returncode == 0, f"undone after point {n}"


def killed_everywhere(here: Bench, *words: str) -> int:
    """Kill `words` at each of its points, from the same beginning; returns how many there are."""
    here.keep()
    points = killpoints.count(here.act(*words))
    new = here.lab.files()
    for n in range(1, points + 1):
        here.put_back()
        survives(here, here.act(*words), new, n)
    here.put_back()
    return points


def test_apply_killed_at_every_point(tmp_path, record_property, capfd):
    with bench(tmp_path) as here:
        points = killed_everywhere(here, "apply", "--unscheduled")

        assert points > 40
        # And from the same beginning, undisturbed, it does its work.
        assert here.lab.apply().status == 0
    record_property("points", points)
    with capfd.disabled():
        print(f"\napply: killed at {points} points")  # noqa: T201


def test_remove_killed_at_every_point(tmp_path, record_property, capfd):
    with bench(tmp_path) as here:
        assert here.lab.apply().status == 0

        points = killed_everywhere(here, "remove")

        assert points > 15
    record_property("points", points)
    with capfd.disabled():
        print(f"\nremove: killed at {points} points")  # noqa: T201


def test_warm_killed_at_every_point(tmp_path, record_property, capfd):
    with bench(tmp_path) as here:
        assert here.lab.apply().status == 0
        time.sleep(1.1)  # thisUpdate counts in seconds, and the next answer must be a newer one

        points = killed_everywhere(here, "warm", "--force")

        assert points > 20
    record_property("points", points)
    with capfd.disabled():
        print(f"\nwarm: killed at {points} points")  # noqa: T201


def test_what_a_killed_run_left_is_told_until_it_is_undone(tmp_path):
    with bench(tmp_path) as here:
        here.keep()
        points = killpoints.count(here.act("apply", "--unscheduled"))
        here.put_back()
        manifest = here.lab.state / "journal" / "manifest.json"
        told = {"check": False, "diff": False}
        for n in range(points, 0, -1):
            here.put_back()
            killpoints.kill_at(n, here.act("apply", "--unscheduled"))
            if manifest.exists():
                break

        for command in told:
            document = here.lab.cli(command, "--format", "json").document
            found = [each for each in document["findings"] if each["rule"] == "interrupted-run"]
            told[command] = [each["file"] for each in found] == [str(manifest)]

        assert told == {"check": True, "diff": True}
        assert here.lab.cli("warm", "--offline").status in {0, 1}
        after = here.lab.cli("check", "--format", "json").document["findings"]
        assert "interrupted-run" not in [each["rule"] for each in after]
