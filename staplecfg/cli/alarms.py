"""What needs a person, and whether it has been said already."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from staplecfg.loading.observe import store_of
from staplecfg.planning.attention import in_use, news

if TYPE_CHECKING:
    from staplecfg.model.facts import Facts
    from staplecfg.model.plan import Plan
    from staplecfg.planning.attention import InUse


@dataclass(frozen=True, slots=True)
class Alarm:
    """`news` says that it has changed, or was last said a day ago or more."""

    about: InUse
    news: bool

    @property
    def words(self) -> str:
        """It in words."""
        return f"{self.about.chain.path}: {self.about.problem}"


def raised(made: Plan, facts: Facts) -> tuple[Alarm, ...]:
    """Return what needs a person among what `made` leaves in use, and note what is news as said.

    A run every hour would otherwise repeat itself until nobody reads it. The
    lock must be held. Raises `NotApplied` where the note cannot be written.
    """
    store = store_of(facts.settings)
    alarms = [
        Alarm(each, news(each, facts.now))
        for each in in_use(made.sites, facts)
        if each.problem is not None
    ]
    for alarm in alarms:
        if alarm.news:
            said = alarm.about.condition.value
            store.record(replace(alarm.about.attempts, told=said, told_at=facts.now))
    return tuple(alarms)
