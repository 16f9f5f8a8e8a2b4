"""warm --watch: in the foreground, for containers and wherever nothing else would call it.

A round is a `warm` of its own, with its lock, its journal and its undoing. In
between nothing is held, so other commands work as usual.
"""

from __future__ import annotations

import time
import traceback
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NoReturn

from staplecfg.cli.output import text
from staplecfg.cli.output.result import Result
from staplecfg.loading.inputs import directories, inputs, trace
from staplecfg.machine.watching import Watcher
from staplecfg.model.errors import StaplecfgError, UndoFailed
from staplecfg.planning.attention import in_use
from staplecfg.planning.state import withdrawn_at
from staplecfg.staples.schedule import NotDue, due

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable
    from datetime import datetime

    from staplecfg.cli.flow import Done

LONGEST = timedelta(hours=1)
"""A round comes at least as often as the schedule would run: clocks are set, events get lost."""
SHORTEST = timedelta(seconds=1)
UNWATCHED = timedelta(seconds=30)
"""How often to look where a directory cannot be watched."""
FIRST_RETRY, LAST_RETRY = 1.0, 60.0
"""Seconds after a round that failed, doubled each time."""


@dataclass(slots=True)
class _Seen:
    """What the last round went by, and how rounds have been going."""

    paths: frozenset[Path] = frozenset()
    problem: str | None = None
    failures: int = 0


def watch(
    options: argparse.Namespace, once: Callable[[], Done], tell: Callable[[Done], None]
) -> Result:
    """Do a round `once`, again when something has changed or falls due, until asked to stop.

    `tell` is told of each round that went well. A round that fails is said and
    tried again; SIGTERM and SIGINT end it all with nothing half done. Raises
    `UndoFailed` where stopping cut off a round that could not be undone.
    """
    try:
        with Watcher() as watcher:
            _rounds(options, once, tell, watcher)
    except KeyboardInterrupt:
        return Result(lines=("stopped",))


def _rounds(
    options: argparse.Namespace,
    once: Callable[[], Done],
    tell: Callable[[Done], None],
    watcher: Watcher,
) -> NoReturn:
    seen = _Seen()
    while True:
        before = trace(seen.paths)
        done = _round(once, seen)
        if done is None:
            seconds = min(FIRST_RETRY * 2 ** (seen.failures - 1), LAST_RETRY)
        else:
            tell(done)
            file = getattr(options, "settings", None)
            named = None if file is None else PurePosixPath(Path(file).absolute())
            seen.paths = inputs(done.facts, named)
            if watcher.watch(directories(seen.paths)):
                _announce(watcher, done)
                continue  # what is watched only now may have changed since it was read
            seconds = (_next(done) - done.facts.now) / timedelta(seconds=1)
        if watcher.unwatched:
            seconds = min(seconds, UNWATCHED / timedelta(seconds=1))
        _wait(watcher, seconds, before, seen)


def _round(once: Callable[[], Done], seen: _Seen) -> Done | None:
    """Return what a round came to; None where it failed, which is said once for each reason."""
    try:
        done = once()
    except StaplecfgError as error:
        if isinstance(error.__cause__, KeyboardInterrupt) and not isinstance(error, UndoFailed):
            raise KeyboardInterrupt from error  # we were asked to stop, and everything is undone
        if isinstance(error.__cause__, KeyboardInterrupt):
            raise
        lines = text.error(error)
    except Exception:  # noqa: BLE001 - a bug of ours must not leave staples to rot unattended
        lines = [traceback.format_exc().rstrip(), "staplecfg: hint: this is a bug; report it"]
    else:
        seen.problem, seen.failures = None, 0
        return done
    problem = "\n".join(lines)
    if problem != seen.problem:
        text.say(problem)
    seen.problem, seen.failures = problem, seen.failures + 1
    return None


def _wait(watcher: Watcher, seconds: float, before: object, seen: _Seen) -> None:
    """Return when it is time, or as soon as what the last round went by is no longer `before`."""
    deadline = time.monotonic() + seconds
    while watcher.wait(deadline - time.monotonic()):
        if trace(seen.paths) != before:
            return


def _next(done: Done) -> datetime:
    """Return when the next thing falls due: a renewal, a withdrawal, or simply the next look."""
    facts = done.facts
    now, floors = facts.now, facts.settings.floors
    moments = [now + LONGEST]
    for each in in_use(done.plan.sites, facts):
        timing = due(each.stored, each.attempts, each.chain, now, floors)
        if isinstance(timing, NotDue):
            moments += [timing.until] if timing.until is not None else []
        else:
            moments.append(now + floors.first_backoff)
        if each.stored.staple is not None:
            moments.append(withdrawn_at(each.stored.staple))
    return max(now + SHORTEST, min(moment for moment in moments if moment > now))


def _announce(watcher: Watcher, done: Done) -> None:
    for directory, problem in watcher.unwatched.items():
        text.say(f"staplecfg: warning: {directory} cannot be watched ({problem}); looking instead")
    until = _next(done)
    text.say(f"watching; the next renewal or look is at {until:%Y-%m-%d %H:%M:%S} UTC")
