"""The service manager told of the units that were written or taken away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.machine.run import run
from staplecfg.model.change import Kind
from staplecfg.model.errors import NotApplied

if TYPE_CHECKING:
    from collections.abc import Iterable

    from staplecfg.applying.report import Steps
    from staplecfg.model.change import Change
    from staplecfg.model.facts import Running

SECONDS = 30.0


def take_effect(changes: Iterable[Change], running: Running, steps: Steps) -> None:
    """Make systemd know the changed units: started where they came, stopped where they went.

    A cron table needs no telling: cron looks every minute. Raises `NotApplied`
    where systemd refuses, for staples that nothing renews are worse than none.
    """
    units = [change for change in changes if change.kind is Kind.UNIT]
    timers = [change for change in units if change.path.suffix == ".timer"]
    if not running.systemd or not any(
        change.path.suffix in {".timer", ".service"} for change in units
    ):
        return
    for change in timers:
        if change.after is None:
            _systemctl("stop", change.path.name)
    _systemctl("daemon-reload")
    for change in timers:
        if change.after is not None:
            _systemctl("restart", change.path.name)
    steps.add("scheduled", ", ".join(change.path.name for change in timers))


def read_again(changes: Iterable[Change], running: Running) -> None:
    """Make systemd forget units that were undone: it holds what it read, whatever the disk says.

    Whoever undoes has an error to report already, so a refusal adds none.
    """
    if running.systemd and any(change.kind is Kind.UNIT for change in changes):
        run(("systemctl", "daemon-reload"), timeout=SECONDS)


def _systemctl(*words: str) -> None:
    completed = run(("systemctl", *words), timeout=SECONDS)
    if completed.status != 0:
        raise NotApplied(
            f"`systemctl {' '.join(words)}` failed: {completed.output.strip()}",
            hint='choose another schedule: `schedule = "cron"` in the settings, or --unscheduled',
        )
