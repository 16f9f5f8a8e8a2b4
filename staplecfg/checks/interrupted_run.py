"""A run of staplecfg ended half-way, and what it changed has not been undone yet.

What: the journal that undoes a change is there. Either a run is under way at
this moment, or one was killed (by the system, for want of memory, by a power
cut) before it could end or undo.

Why: the configuration may hold one half of what was to be changed, and it was
not tested like that. Nothing is lost: the journal has the bytes from before.

Fix: any command that writes undoes it before anything else:

    staplecfg warm
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.model.finding import Severity
from staplecfg.model.rule import Rule
from staplecfg.model.source import Location

if TYPE_CHECKING:
    from collections.abc import Iterator

    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding


def check(facts: Facts) -> Iterator[Finding]:
    """Yield a finding where there is a journal."""
    if facts.interrupted is not None:
        yield RULE.finding(
            Location(facts.interrupted),
            "a run of staplecfg was interrupted half-way, or is under way just now",
            "run staplecfg warm, which undoes it first",
        )


RULE = Rule("interrupted-run", Severity.WARNING, __doc__ or "", check)
