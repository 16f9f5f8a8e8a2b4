"""The service manager told of the units that were written or taken away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.machine.run import run
from staplecfg.model.change import Kind
from staplecfg.model.errors import NotApplied
from staplecfg.planning.schedule.serve import SERVICE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from staplecfg.applying.report import Steps
    from staplecfg.model.change import Change
    from staplecfg.model.facts import Running

SECONDS = 30.0

STARTED = (".timer", ".path")
"""The units that must run for theirs to be called."""


def take_effect(changes: Iterable[Change], running: Running, steps: Steps) -> None:
    """Make systemd know the changed units: started where they came, stopped where they went.

    A cron table needs no telling: cron looks every minute. Raises `NotApplied`
    where systemd refuses, for staples that nothing renews are worse than none.
    """
    units = [change for change in changes if _is_unit(change)]
    if not running.systemd or not units:
        return
    started = [change for change in units if change.path.suffix in STARTED]
    wanted = [change for change in units if change.kind is Kind.LINK]
    for change in (*started, *wanted):
        if change.after is None:
            _systemctl("stop", change.path.name)
    for change in units:
        if change.after is None:
            # What failed once would be remembered after it is gone.
            run(("systemctl", "reset-failed", change.path.name), timeout=SECONDS)
    _systemctl("daemon-reload")
    for change in started:
        if change.after is not None:
            _systemctl("restart", change.path.name)
    for change in wanted:
        if change.after is not None:
            # It asks for the lock, which we hold: not waited for, it gives up by itself.
            _systemctl("start", "--no-block", change.path.name)
    told = (*started, *wanted) or units
    steps.add("scheduled", ", ".join(change.path.name for change in told))


def _is_unit(change: Change) -> bool:
    """Say whether systemd must be told: of units, and of links by which a server wants one."""
    if change.kind is Kind.LINK:
        return change.path.parent.suffix == ".wants" and change.path.suffix == ".service"
    return change.kind is Kind.UNIT and change.path.suffix in {*STARTED, ".service"}


def serve_before(changes: Iterable[Change], running: Running, steps: Steps) -> None:
    """Start the local responder anew where its unit has changed: before a server asks it.

    Raises `NotApplied` where it does not come up.
    """
    if running.systemd and any(_serves(change) and change.after is not None for change in changes):
        _systemctl("daemon-reload")
        _systemctl("restart", SERVICE.name)
        steps.add("started", SERVICE.name, "answers from the store")


def _serves(change: Change) -> bool:
    return change.kind is Kind.UNIT and change.path.name == SERVICE.name


def read_again(changes: Iterable[Change], running: Running) -> None:
    """Make systemd forget units that were undone: it holds what it read, whatever the disk says.

    Whoever undoes has an error to report already, so a refusal adds none.
    """
    changes = tuple(changes)
    if not running.systemd or not any(change.kind is Kind.UNIT for change in changes):
        return
    for change in changes:
        if _serves(change) and change.before is None:
            run(("systemctl", "stop", SERVICE.name), timeout=SECONDS)
    run(("systemctl", "daemon-reload"), timeout=SECONDS)
    for change in changes:
        if _serves(change) and change.before is not None:
            run(("systemctl", "restart", SERVICE.name), timeout=SECONDS)


def _systemctl(*words: str) -> None:
    completed = run(("systemctl", *words), timeout=SECONDS)
    if completed.status != 0:
        raise NotApplied(
            f"`systemctl {' '.join(words)}` failed: {completed.output.strip()}",
            hint='choose another schedule: `schedule = "cron"` in the settings, or --unscheduled',
        )
