"""warm --watch: in the foreground, for containers and wherever nothing else would call it.

A round is a `warm` of its own, with its lock, its journal and its undoing. In
between nothing is held, so other commands work as usual.
"""

from __future__ import annotations

import time
import traceback
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NoReturn

from staplecfg.cli.clock import clock
from staplecfg.cli.output import text
from staplecfg.cli.output.result import Result
from staplecfg.loading.inputs import directories, inputs, trace
from staplecfg.machine.watching import Watcher
from staplecfg.model.errors import StaplecfgError, UndoFailed
from staplecfg.planning import looking
from staplecfg.planning.attention import in_use
from staplecfg.staples.schedule import NotDue, due

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Mapping, Sequence

    from staplecfg.cli.flow import Done
    from staplecfg.cli.targets import Chosen
    from staplecfg.model.settings import Settings

SECOND = timedelta(seconds=1)
SHORTEST = SECOND
CLOCK_LOOK = timedelta(minutes=1)
"""How often to see whether the clock has jumped."""
CLOCK_JUMP = timedelta(seconds=10)
"""By how much, for it to matter: clocks are corrected by less all the time."""
START = datetime(1970, 1, 1, tzinfo=timezone.utc)
UNWATCHED = timedelta(seconds=30)
"""How often to look where a directory cannot be watched."""
FIRST_RETRY, LAST_RETRY = 1.0, 60.0
"""Seconds after a round that failed, doubled each time."""


@dataclass(slots=True)
class Looked:
    """One server: what its last round went by and `before` that was, and how rounds go.

    `at` is when the next one falls due, by the monotonic clock, of which the clock was `ahead`.
    """

    paths: frozenset[Path] = frozenset()
    before: object = None
    problem: str | None = None
    failures: int = 0
    at: float = 0.0
    ahead: timedelta = timedelta(0)


def watch(
    options: argparse.Namespace,
    targets: Callable[[], Sequence[Chosen]],
    once: Callable[[Settings], Done],
    tell: Callable[[Done], None],
) -> Result:
    """Do a round `once` for each of `targets`, again when something changes or falls due.

    They are looked up anew each time. `tell` is told of each round that went
    well. A round that fails is said and tried again, and keeps none of the
    others from theirs; SIGTERM and SIGINT end it all with nothing half done.
    Raises `UndoFailed` where stopping cut off a round that could not be undone.
    """
    try:
        with Watcher() as watcher:
            _rounds(options, targets, once, tell, watcher)
    except KeyboardInterrupt:
        return Result(lines=("stopped",))


def _rounds(
    options: argparse.Namespace,
    targets: Callable[[], Sequence[Chosen]],
    once: Callable[[Settings], Done],
    tell: Callable[[Done], None],
    watcher: Watcher,
) -> NoReturn:
    file = getattr(options, "settings", None)
    named = None if file is None else PurePosixPath(Path(file).absolute())
    seen: dict[str, Looked] = {}
    while True:
        found = _found(targets)
        seen = {key: seen.get(key, Looked()) for key in found}
        due = [key for key in found if seen[key].at <= time.monotonic()]
        for key in due:
            looked, target = seen[key], found[key]
            looked.before, looked.ahead = trace(looked.paths), ahead()
            done = _round(target, once, looked)
            if done is None:
                wait = min(FIRST_RETRY * 2 ** (looked.failures - 1), LAST_RETRY)
                looked.at = time.monotonic() + wait
                continue
            tell(done)
            looked.paths = inputs(done.facts, named)
            wait = (_next(done) - done.facts.now) / timedelta(seconds=1)
            looked.at = time.monotonic() + wait
        paths = frozenset(path for each in seen.values() for path in each.paths)
        if watcher.watch(directories(paths)):
            _announce(watcher, seen)
            for key in due:
                # What is watched only now may have changed since it was read.
                seen[key].at = 0.0 if seen[key].problem is None else seen[key].at
            continue
        await_something(watcher, seen)


def _found(targets: Callable[[], Sequence[Chosen]]) -> dict[str, Chosen]:
    """Return the servers there are by their main files, or why they cannot be told."""
    try:
        return {_name(each): each for each in targets()}
    except StaplecfgError as error:
        return {"": error}


def _name(target: Chosen) -> str:
    if isinstance(target, StaplecfgError):
        return str(target.at or target.problem)
    return str(target.config)


def _settings(target: Chosen) -> Settings:
    if isinstance(target, StaplecfgError):
        raise target
    return target


def _round(target: Chosen, once: Callable[[Settings], Done], looked: Looked) -> Done | None:
    """Return what a round came to; None where it failed, which is said once for each reason."""
    try:
        done = once(_settings(target))
    except StaplecfgError as error:
        if isinstance(error.__cause__, KeyboardInterrupt) and not isinstance(error, UndoFailed):
            raise KeyboardInterrupt from error  # we were asked to stop, and everything is undone
        if isinstance(error.__cause__, KeyboardInterrupt):
            raise
        lines = text.error(error)
    except Exception:  # noqa: BLE001 - a bug of ours must not leave staples to rot unattended
        lines = [traceback.format_exc().rstrip(), "staplecfg: hint: this is a bug; report it"]
    else:
        looked.problem, looked.failures = None, 0
        return done
    problem = "\n".join(lines)
    if problem != looked.problem:
        text.say(problem)
    looked.problem, looked.failures = problem, looked.failures + 1
    return None


def await_something(watcher: Watcher, seen: Mapping[str, Looked]) -> None:
    """Return when a round falls due, at once for those whose inputs are not as they were."""
    deadline = min((each.at for each in seen.values()), default=0.0)
    if watcher.unwatched:
        deadline = min(deadline, time.monotonic() + UNWATCHED / timedelta(seconds=1))
    while True:
        left = deadline - time.monotonic()
        stirred = watcher.wait(min(left, CLOCK_LOOK / SECOND))
        jumped = [each for each in seen.values() if abs(ahead() - each.ahead) > CLOCK_JUMP]
        for each in jumped:
            each.at = 0.0
        if jumped:
            return
        if not stirred and time.monotonic() < deadline and not watcher.unwatched:
            continue
        changed = [each for each in seen.values() if trace(each.paths) != each.before]
        for each in changed if stirred or watcher.unwatched else ():
            each.at = 0.0
        if changed or not stirred:
            return


def ahead() -> timedelta:
    """Return by how much the clock is ahead of the seconds that have gone by while awake.

    It jumps when a clock is set, or a machine was suspended: what ends by the clock is
    then due at another time than it was reckoned.
    """
    return clock() - START - timedelta(seconds=time.monotonic())


def _next(done: Done) -> datetime:
    """Return when the next thing falls due: a renewal, a withdrawal, or simply the next look.

    That comes as often as the schedule would run: clocks are set, events get lost.
    """
    facts = done.facts
    now, floors = facts.now, facts.settings.floors
    looks = looking.in_effect(facts)
    moments = [now + looks.interval]
    for each in in_use(done.plan.sites, facts):
        timing = due(each.stored, each.attempts, each.chain, now, floors, margin=looks.margin)
        if isinstance(timing, NotDue):
            moments += [timing.until] if timing.until is not None else []
        else:
            moments.append(now + floors.first_backoff)
        if each.stored.staple is not None:
            moments.append(looking.withdrawn_at(each.stored.staple, looks))
    return max(now + SHORTEST, min(moment for moment in moments if moment > now))


def _announce(watcher: Watcher, seen: Mapping[str, Looked]) -> None:
    for directory, problem in watcher.unwatched.items():
        text.say(f"staplecfg: warning: {directory} cannot be watched ({problem}); looking instead")
    seconds = min(each.at for each in seen.values()) - time.monotonic()
    until = clock() + timedelta(seconds=max(0.0, seconds))
    text.say(f"watching; the next renewal or look is at {until:%Y-%m-%d %H:%M:%S} UTC")
