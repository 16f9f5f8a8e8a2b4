"""carry out: a plan becomes so, or the machine stays as it was.

The order is the safety: the configuration is tested *as found*, for one that
was broken before is the user's news and not our doing; handshakes are made
before and after, for a server can accept a configuration and serve worse by it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from staplecfg.applying import owing, schedule, transaction
from staplecfg.applying.comparison import Comparison, warmer
from staplecfg.applying.report import Outcome, Report, counted
from staplecfg.applying.telling import before_telling, go_back, require_told, tell
from staplecfg.machine import replace
from staplecfg.model.errors import NotApplied, UndoFailed
from staplecfg.model.plan import Decision, Goal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import PurePosixPath

    from staplecfg.applying.report import Steps
    from staplecfg.applying.telling import Before
    from staplecfg.applying.watch import Watch
    from staplecfg.model.facts import Facts
    from staplecfg.model.plan import Plan
    from staplecfg.model.probe import Probe
    from staplecfg.model.source import Location

WARMING = 3
"""How often a site without a staple is asked again that the server may be fetching one for."""
BETWEEN = 1.0
"""Seconds in between: a responder's answer takes tenths of one."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How far to go: `--no-reload` ends with the test, a boot unit does without it."""

    test: bool = True
    reload: bool = True
    probe: bool = True
    unseen: bool = False
    """The server runs where its processes cannot be seen: its reload command is to be believed."""
    awaited: bool = False
    """Whoever called reloads the server right after; where he does not, the dead man does."""


def carry_out(
    plan: Plan,
    facts: Facts,
    watch: Watch,
    manner: Manner,
    steps: Steps,
    *,
    included: Callable[[PurePosixPath], bool],
) -> Report:
    """Do what `plan` says, in `manner`, and note each of the `steps`.

    The lock must be held. Raises `NotApplied` (also `StalePlan`,
    `ServerRefused`) with everything undone, or `UndoFailed`.
    """
    run = _Run(plan, facts, watch, manner, steps)
    if manner.test and (plan.reload or run.live or _all_refused(facts)):
        _test_as_found(watch, steps)
    if plan.empty and not run.live:
        return Report(Outcome.UNCHANGED, tuple(steps.done))
    if plan.reload:
        owing.note(facts, at_once=manner.awaited and run.running)
    try:
        probes = run.transact(included)
    except UndoFailed:
        raise
    except BaseException as error:
        run.undo(error)
        raise
    if run.live:
        owing.settle(facts)
    try:
        _collect(plan, facts, steps)
    except NotApplied as error:
        error.state = "the changes are in effect; the next run takes away what is left over"
        raise
    if plan.reload and manner.reload and not run.running:
        steps.add("noted", watch.name, "is not running; this takes effect when it starts")
    return Report(Outcome.APPLIED, tuple(steps.done), probes)


class _Run:
    """One plan on its way; `before` is the server as it was just before it was told of it."""

    def __init__(
        self, plan: Plan, facts: Facts, watch: Watch, manner: Manner, steps: Steps
    ) -> None:
        self.plan, self.facts, self.watch = plan, facts, watch
        self.manner, self.steps = manner, steps
        self.running = watch.master is not None or manner.unseen
        self.owed = owing.owed(facts)
        self.live = manner.reload and self.running and (plan.reload or self.owed)
        self.lazy = _lazy(plan, watch)
        self.before: Before | None = None
        self.comparison = Comparison(plan, facts, watch.server.deliveries)

    def _as_found(self) -> tuple[Probe, ...]:
        """Probe before anything is changed, and again what nginx may yet be fetching itself."""
        probes = self.watch.probe(self.lazy)
        for _ in range(WARMING):
            cold = self.comparison.cold(probes)
            if not cold:
                break
            time.sleep(BETWEEN)
            probes = warmer(probes, self.watch.probe(only=cold))
        return probes

    def transact(self, included: Callable[[PurePosixPath], bool]) -> tuple[Probe, ...]:
        """Change, test, reload and probe; whatever raises in here undoes the changes."""
        probing = self.manner.probe and self.live
        before = self._as_found() if probing else ()
        probes: tuple[Probe, ...] = ()
        with transaction.carry(
            self.plan.changes,
            state_dir=Path(self.facts.settings.state_dir),
            root=Path("/"),
            included=included,
        ) as under_way:
            self.steps.add_changes(self.plan)
            if self.manner.test and self.plan.reload:
                self.watch.test()
                self.steps.add("tested", self.watch.name, "accepts the new configuration")
            schedule.serve_before(self.plan.changes, self.facts.running, self.steps)
            if self.running:
                self._tell(under_way)
            if probing:
                probes = self.watch.probe(self.lazy)
                self.watch.require_alive()
                self.comparison.require_no_worse(before, probes)
                self.steps.add("probed", self.watch.name, counted(probes))
            schedule.take_effect(self.plan.changes, self.facts.running, self.steps)
            under_way.commit()
        return probes

    def undo(self, error: BaseException) -> None:
        """Have everybody who was told of the changes go by the restored files again."""
        schedule.read_again(self.plan.changes, self.facts.running)
        if self.before is not None:
            go_back(self.watch, self.before, error, self.steps)
        elif not self.owed:
            owing.settle(self.facts)  # everything is as it was, and nobody was told otherwise

    def _tell(self, under_way: transaction.Transaction) -> None:
        """Tell the running server, if that is wanted; else see that it can wait."""
        told = self.watch.read_again() if self.plan.reload else None
        if not self.live:
            require_told(self.watch, told)
            return
        self.watch.require_same_certificates()
        self.watch.require_alive()
        self.before = before_telling(self.watch, told)
        if self.plan.goal is Goal.STATE_ONLY:
            # Certificates may have been replaced, which a reload takes up as they are:
            # with the staples of before, each of them would be served a wrong one.
            under_way.see_through()
        self.watch = tell(self.watch, self.before, self.steps)


def _test_as_found(watch: Watch, steps: Steps) -> None:
    try:
        watch.test()
    except NotApplied as error:
        raise type(error)(
            f"the configuration is broken as it is: {error.problem}",
            at=error.at,
            hint=error.hint or "mend it first; staplecfg does not build on what does not start",
            state="nothing was changed",
        ) from None
    steps.add("tested", watch.name, "accepts its configuration as found")


def _all_refused(facts: Facts) -> bool:
    """Say whether nothing may be edited at all: the server's own word on that says most."""
    sources = facts.configuration.files.values()
    return bool(sources) and all(source.refusal is not None for source in sources)


def _lazy(plan: Plan, watch: Watch) -> frozenset[Location]:
    """Return where the sites stand whose staples the server fetches by itself."""
    names = {name for name, each in watch.server.deliveries.items() if each.lazy}
    return frozenset(
        each.site.location
        for each in plan.sites
        if each.decision is Decision.CONFIGURED and each.delivery in names
    )


def _collect(plan: Plan, facts: Facts, steps: Steps) -> None:
    """Take away what nothing uses any more; only now, for undoing would have needed it."""
    for change in plan.collect:
        if change.after is None:
            replace.remove(Path(change.path))
        else:
            replace.write(Path(change.path), change.after.data)
        steps.add("collected", change.path)
    transaction.prune(plan.collect, state_dir=Path(facts.settings.state_dir), root=Path("/"))
    emptied = {
        parent for each in plan.collect if each.after is None for parent in each.path.parents
    }
    made = sorted(emptied & set(facts.record.directories))
    replace.remove_directories([Path(directory) for directory in made])
    schedule.take_effect(plan.collect, facts.running, steps)
