"""The harness of the kill tests, tested: a harness that kills nothing proves anything."""

from __future__ import annotations

import errno
import os
import threading
from typing import TYPE_CHECKING

import pytest

from tests.support.killpoints import count, fail_at, kill_at

if TYPE_CHECKING:
    from pathlib import Path


def three_effects(directory: Path) -> str:
    descriptor = os.open(directory / "file", os.O_WRONLY | os.O_CREAT)
    os.write(descriptor, b"12345678")
    os.close(descriptor)
    os.rename(directory / "file", directory / "renamed")  # noqa: PTH104 - what is counted
    return "done"


def test_effects_are_counted_and_reading_is_not(tmp_path: Path):
    (tmp_path / "read").write_bytes(b"x")

    def reading() -> None:
        os.close(os.open(tmp_path / "read", os.O_RDONLY))

    assert count(lambda: three_effects(tmp_path)) == 3
    assert count(reading) == 0


@pytest.mark.parametrize(
    ("point", "left"),
    [
        pytest.param(1, {}, id="before the file is made"),
        pytest.param(2, {"file": b"1234"}, id="half way through the write"),
        pytest.param(3, {"file": b"12345678"}, id="before the rename"),
    ],
)
def test_it_dies_at_the_point_and_what_was_done_stays(
    tmp_path: Path, point: int, left: dict[str, bytes]
):
    assert kill_at(point, lambda: three_effects(tmp_path)).killed
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == left


def test_past_the_last_point_it_ends_by_itself(tmp_path: Path):
    ended = kill_at(4, lambda: three_effects(tmp_path))

    assert not ended.killed
    assert ended.value == "done"
    assert ended.names == ("open", "write", "rename")


def test_an_error_is_raised_at_the_point_alone(tmp_path: Path):
    ended = fail_at(3, errno.ENOSPC, lambda: three_effects(tmp_path))

    assert ended.error is not None
    assert ended.error.startswith("OSError: [Errno 28]")
    assert {path.name for path in tmp_path.iterdir()} == {"file"}


def test_an_action_that_fails_by_itself_is_not_counted():
    def fail() -> None:
        raise RuntimeError("of its own")

    with pytest.raises(AssertionError, match="of its own"):
        count(fail)


def test_threads_are_counted_together(tmp_path: Path):
    def action() -> None:
        # Until Python 3.10 pathlib keeps functions of `os` of its own, which are not wrapped.
        make = os.mkdir
        threads = [threading.Thread(target=make, args=(tmp_path / str(n),)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert count(action) == 8


def test_this_process_is_left_alone(tmp_path: Path):
    before = os.write

    count(lambda: three_effects(tmp_path))

    assert os.write is before
