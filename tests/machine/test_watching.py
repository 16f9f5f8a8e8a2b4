"""Directories watched by the kernel: told once, soon, and only of what changed."""

from __future__ import annotations

import shutil
import threading
import time
from typing import TYPE_CHECKING

import pytest

from staplecfg.machine.watching import Watcher

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SOON = 60.0
"""Seconds in which it comes for sure; it comes within one."""
NEVER = 0.5


@pytest.fixture
def watcher(tmp_path) -> Iterator[Watcher]:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "old").write_text("old")
    with Watcher() as made:
        assert made.watch([tmp_path / "d"])
        yield made


def renamed_over(directory: Path) -> None:
    (directory / ".new").write_text("new")
    (directory / ".new").rename(directory / "old")


def relinked(directory: Path) -> None:
    (directory / ".link").symlink_to("elsewhere")
    (directory / ".link").rename(directory / "link")


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda d: (d / "new").write_text("x"), id="created"),
        pytest.param(lambda d: (d / "old").write_text("x"), id="written"),
        pytest.param(lambda d: (d / "old").unlink(), id="deleted"),
        pytest.param(lambda d: (d / "old").rename(d.parent / "out"), id="moved away"),
        pytest.param(renamed_over, id="renamed over"),
        pytest.param(relinked, id="a link turned"),
        pytest.param(lambda d: (d / "sub").mkdir(), id="a directory made"),
    ],
)
def test_a_change_is_told(watcher, tmp_path, change: Callable[[Path], object]):
    change(tmp_path / "d")

    assert watcher.wait(SOON)


@pytest.mark.parametrize(
    "nothing",
    [
        pytest.param(lambda _: None, id="nothing at all"),
        pytest.param(lambda d: (d / "old").read_text(), id="read"),
        pytest.param(lambda d: list(d.iterdir()), id="listed"),
        pytest.param(lambda d: (d.parent / "beside").write_text("x"), id="beside it"),
    ],
)
def test_what_is_no_change_is_not_told(watcher, tmp_path, nothing):
    nothing(tmp_path / "d")

    assert not watcher.wait(NEVER)


def test_what_is_below_is_not_looked_into(tmp_path):
    (tmp_path / "d" / "sub").mkdir(parents=True)
    with Watcher() as watcher:
        watcher.watch([tmp_path / "d"])
        (tmp_path / "d" / "sub" / "file").write_text("x")

        assert not watcher.wait(NEVER)


def test_many_changes_in_a_row_are_one(watcher, tmp_path):
    for number in range(50):
        (tmp_path / "d" / f"{number}").write_text("x")

    assert watcher.wait(SOON)
    assert not watcher.wait(NEVER)


def test_changes_without_end_are_told_all_the_same(watcher, tmp_path):
    over = threading.Event()

    def write() -> None:
        while not over.wait(0.01):
            (tmp_path / "d" / "log").write_text("x")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert watcher.wait(SOON)  # or the test's own timeout says that it never returns
    finally:
        over.set()
        writer.join()


def test_what_changed_before_anybody_waited_is_told(watcher, tmp_path):
    (tmp_path / "d" / "new").write_text("x")
    time.sleep(NEVER)

    assert watcher.wait(0.0) or watcher.wait(SOON)


def test_watching_the_same_again_is_no_change(watcher, tmp_path):
    assert not watcher.watch([tmp_path / "d", tmp_path / "d"])


def test_a_directory_made_anew_is_watched_anew(watcher, tmp_path):
    shutil.rmtree(tmp_path / "d")
    assert watcher.wait(SOON)
    (tmp_path / "d").mkdir()

    assert watcher.watch([tmp_path / "d"])
    (tmp_path / "d" / "new").write_text("x")

    assert watcher.wait(SOON)


def test_for_one_that_is_not_there_the_nearest_above_is_watched(tmp_path):
    with Watcher() as watcher:
        watcher.watch([tmp_path / "a" / "b"])
        (tmp_path / "a").mkdir()

        assert watcher.wait(SOON)


def test_one_that_is_no_longer_wanted_is_let_go(watcher, tmp_path):
    (tmp_path / "other").mkdir()
    assert watcher.watch([tmp_path / "other"])

    (tmp_path / "d" / "new").write_text("x")

    assert not watcher.wait(NEVER)


def test_its_threads_end_with_it(tmp_path):
    before = threading.active_count()
    with Watcher() as watcher:
        watcher.watch([tmp_path])
        assert threading.active_count() > before

    assert threading.active_count() == before
