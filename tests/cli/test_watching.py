"""warm --watch waits by a clock that stands still where the machine sleeps: it sees to that."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest

from staplecfg.cli.watching import Looked, ahead, await_something

HOUR = 3600.0


class NothingHappens:
    """A watcher that is told of nothing; it counts how often it was asked to wait."""

    def __init__(self, least: int) -> None:
        self.unwatched: dict[object, str] = {}
        self.waited: list[float] = []
        self._least = least
        self.looked = Looked()

    def wait(self, seconds: float) -> bool:
        self.waited.append(seconds)
        if len(self.waited) == self._least:
            self.looked.at = 0.0
            return True  # so that a wait that goes on is seen to have gone on
        return False


def waiting(moved: timedelta, *, least: int = 3) -> tuple[NothingHappens, Looked]:
    watcher = NothingHappens(least)
    looked = Looked(before=(), at=time.monotonic() + HOUR, ahead=ahead() - moved)
    watcher.looked = looked
    await_something(watcher, {"a": looked})  # type: ignore[arg-type]  # all that it asks of one
    return watcher, looked


@pytest.mark.parametrize("moved", [timedelta(0), timedelta(seconds=2), timedelta(seconds=-2)])
def test_while_the_clock_goes_on_it_waits_and_looks_at_the_clock_now_and_then(moved):
    watcher, _ = waiting(moved)

    assert len(watcher.waited) == 3
    assert max(watcher.waited) <= 60


@pytest.mark.parametrize("moved", [timedelta(hours=3), timedelta(hours=-3), timedelta(minutes=1)])
def test_after_a_sleep_or_a_clock_that_was_set_everything_is_looked_at_anew(moved):
    watcher, looked = waiting(moved)

    assert len(watcher.waited) == 1
    assert looked.at == 0.0
