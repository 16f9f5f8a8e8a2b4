"""The running server is told of the files: by a reload, or, where it would die of that, by a start.

The same on the way back: the files are as they were, and it goes by them again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from staplecfg.machine import starting
from staplecfg.model.errors import NotApplied, ServerDied, StaplecfgError, UndoFailed

if TYPE_CHECKING:
    from staplecfg.applying.report import Steps
    from staplecfg.applying.watch import Watch
    from staplecfg.model.site import Configuration

RELOADED, RESTARTED = "reloaded", "restarted"
"""The steps by which a server has re-read everything."""

AT_RISK = "every file is as it was; the running server may still use the new configuration"


@dataclass(frozen=True, slots=True)
class Before:
    """The server just before it was told: who accepted, and whether somebody watches over it.

    `told` is the configuration it is told of, None for a server that bears every change.
    """

    workers: frozenset[int]
    watched_over: bool
    told: Configuration | None


def before_telling(watch: Watch, told: Configuration | None) -> Before:
    """Return what is to be remembered of the server of `watch`."""
    watched_over = watch.master is not None and starting.supervised(watch.master)
    return Before(watch.workers(), watched_over, told)


def fatal(watch: Watch, told: Configuration | None) -> str | None:
    """Return why the server that runs would die of a reload with `told`, or None."""
    outlives = watch.server.outlives
    if outlives is None or told is None:
        return None
    return outlives(watch.facts.configuration, told)


def require_told(watch: Watch, told: Configuration | None) -> None:
    """Raise `NotApplied` where `told` must not be left lying about for the next reload."""
    why = fatal(watch, told)
    if why is not None:
        raise NotApplied(
            f"{why}; nobody could reload it any more, log rotation for one",
            hint=f"stop {watch.name} first, or let it be restarted: without --no-reload",
        )


def tell(watch: Watch, before: Before, steps: Steps) -> Watch:
    """Make the server take up its configuration; returns the watch on whoever runs then.

    Raises as `Watch.reload` does.
    """
    watch.require_alive()
    why = fatal(watch, before.told)
    if why is None:
        watch.reload()
        steps.add(RELOADED, watch.name)
        return watch
    if watch.master is None:
        raise NotApplied(why, hint=f"stop {watch.name} first: it cannot be restarted from here")
    outcome = starting.restart(watch.place, watch.master, _ways(watch, before))
    if isinstance(outcome, starting.NotStarted):
        raise ServerDied(f"{watch.name} could not be restarted: {outcome.reason}")
    steps.add(RESTARTED, watch.name, why)
    return watch.with_master(outcome.master)


def go_back(watch: Watch, before: Before, error: BaseException, steps: Steps) -> None:
    """Make the server go by the restored files: reloaded, or where it died started again.

    `error` is why; it is told what became of the server. Raises `UndoFailed`
    where the server cannot be brought back.
    """
    try:
        watch.require_alive()
        if _dies_of_going_back(watch, before):
            _restart(watch, before, error, steps)
        else:
            watch.reload()
    except ServerDied:
        _start(watch, before, error, steps)
    except UndoFailed:
        raise
    except StaplecfgError as second:
        if before.workers and watch.workers() == before.workers:
            return  # it refuses every reload, and so never took up what was undone
        raise UndoFailed(
            f"the files are as before, but {watch.name} could not be reloaded with them:"
            f" {second.problem}",
            hint=_after(error),
            state=AT_RISK,
        ) from error


def _dies_of_going_back(watch: Watch, before: Before) -> bool:
    outlives = watch.server.outlives
    if outlives is None or before.told is None or watch.master is None:
        return False
    return outlives(before.told, watch.facts.configuration) is not None


def _restart(watch: Watch, before: Before, error: BaseException, steps: Steps) -> None:
    assert watch.master is not None  # noqa: S101 - only one that runs is restarted
    outcome = starting.restart(watch.place, watch.master, _ways(watch, before))
    _settle(outcome, watch, error, steps)


def _start(watch: Watch, before: Before, error: BaseException, steps: Steps) -> None:
    outcome = starting.start(watch.place, _ways(watch, before), former=before.workers)
    if isinstance(outcome, starting.Found):
        # It may have read the files that were undone.
        try:
            watch.with_master(outcome.master).reload()
        except StaplecfgError as second:
            raise UndoFailed(
                f"the files are as before, but {watch.name}, which has ended and was started again"
                f" by others, could not be reloaded with them: {second.problem}",
                hint=_after(error),
                state=AT_RISK,
            ) from error
    _settle(outcome, watch, error, steps)


def _settle(
    outcome: starting.StartResult, watch: Watch, error: BaseException, steps: Steps
) -> None:
    if isinstance(outcome, starting.NotStarted):
        raise UndoFailed(
            f"the files are as before, but {watch.name} has ended and could not be started:"
            f" {outcome.reason}",
            hint=_after(error),
            state=f"every file is as it was; {watch.name} does not run: start it",
        ) from error
    steps.add("started", watch.name, "with its configuration as it was")
    if isinstance(error, StaplecfgError):
        said = f"{watch.name} was started again"
        error.state = said if error.state is None else f"{error.state}; {said}"


def _ways(watch: Watch, before: Before) -> starting.Ways:
    commands, facts = watch.server.commands, watch.facts
    return starting.Ways(
        commands.start(facts.installation),
        commands.stop(facts.installation),
        facts.running.unit,
        before.watched_over,
    )


def _after(error: BaseException) -> str:
    return f"after: {getattr(error, 'problem', 'an interruption')}"
