"""How often somebody really looks after the staples of this machine.

Units are the same for all targets and are written by `apply` alone. So what
counts is what was asked for then, the shortest of all targets; a settings file
that was changed since has no effect before it is applied.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from staplecfg.model.looks import Looks
from staplecfg.model.plan import Goal
from staplecfg.model.settings import Schedule
from staplecfg.model.target import Target

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from staplecfg.model.facts import Facts, Record
    from staplecfg.model.settings import Settings
    from staplecfg.model.staple import Staple
    from staplecfg.model.target import NoTarget


def in_effect(facts: Facts) -> Looks:
    """Return how often is looked; where nothing of ours calls `warm`, as the settings promise."""
    if not facts.record.units:
        return facts.settings.looks
    known = [each for each in facts.targets if isinstance(each, Target)]
    found = [each.looks for each in known]
    if not any(_own(each, facts) for each in known):
        found.append(asked(facts.settings))
    return shortest(found)


def of_machine(settings: Settings, record: Record, targets: Iterable[Target | NoTarget]) -> Looks:
    """Return how often is looked after all of `targets`, for what is yet to belong to one."""
    if not record.units:
        return settings.looks
    return shortest(each.looks for each in targets if isinstance(each, Target))


def asked(settings: Settings) -> Looks:
    """Return how often our own schedule is asked to come; the user's own is no business of it."""
    return Looks() if settings.schedule is Schedule.NONE else settings.looks


def shortest(found: Iterable[Looks]) -> Looks:
    """Return what does for all of `found`."""
    every = tuple(found) or (Looks(),)
    return Looks(
        min(each.interval for each in every),
        min(each.dead_man for each in every),
        max(each.run for each in every),
    )


def intended(facts: Facts, goal: Goal) -> Facts:
    """Return `facts` as they will be about the schedule once `goal` is reached."""
    if goal is not Goal.PRESENT:
        return facts
    looks = asked(facts.settings)
    after = tuple(
        replace(each, looks=looks) if isinstance(each, Target) and _own(each, facts) else each
        for each in facts.targets
    )
    return replace(facts, targets=after)


def withdrawn_at(staple: Staple, looks: Looks) -> datetime:
    """Return from when on `staple` is not handed out any more, for one who looks as `looks` say."""
    return staple.expires - looks.margin


def _own(target: Target, facts: Facts) -> bool:
    return target.is_for(facts.installation.server, facts.installation.config)
