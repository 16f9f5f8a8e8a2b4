"""One writer at a time, and whatever an earlier one left half done is undone first."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from staplecfg.applying import schedule
from staplecfg.machine import control, journal, lock, replace
from staplecfg.machine.directories import require_trusty
from staplecfg.machine.run import run
from staplecfg.machine.undo import undo
from staplecfg.model.change import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from staplecfg.applying.report import Steps
    from staplecfg.model.settings import Settings

LOCK = "lock"


@contextlib.contextmanager
def session(
    settings: Settings, *, purpose: str, wait: float, steps: Steps, tell: Callable[[str], None]
) -> Iterator[None]:
    """Hold the lock of `settings.state_dir`, and undo an interrupted run before anything else.

    A server that such a run reloaded is owed another reload, which the next plan makes:
    at once, it would load certificates that were replaced since, with the old staples.

    Raises `Busy` when another staplecfg still holds it after `wait` seconds,
    `NotApplied` where the state directory cannot be written, `UndoFailed` where
    the interrupted run cannot be undone.
    """
    state_dir = Path(settings.state_dir)
    replace.make_directories(state_dir)
    require_trusty(state_dir)
    with lock.hold(state_dir / LOCK, purpose=purpose, wait=wait, on_wait=tell):
        _recover(state_dir, steps)
        yield


def _recover(state_dir: Path, steps: Steps) -> None:
    interrupted = journal.interrupted(state_dir)
    if interrupted is not None:
        for undone in undo(interrupted):
            steps.add("undone", undone.path, f"an interrupted run: {undone.outcome.value}")
        if control.systemd_booted() and any(e.kind is Kind.UNIT for e in interrupted.entries):
            run(("systemctl", "daemon-reload"), timeout=schedule.SECONDS)
    journal.sweep(state_dir)
