"""Whether an answer's times make sense, and whether there is life enough left in it.

RFC 6960, 3.2 items 5 and 6, and 4.2.2.1; RFC 5019, 4.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from staplecfg.model.verdict import Reason, Rejected
from staplecfg.pki.refusal import Refusal
from staplecfg.pki.terms import Purpose

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from staplecfg.pki.terms import Terms

SHORTEST_USUAL = timedelta(hours=8)
LONGEST_USUAL = timedelta(days=10)
"""Baseline Requirements, 4.9.10: what public CAs keep to for servers' certificates."""


def require_sound(
    this_update: datetime, next_update: datetime, produced_at: datetime, terms: Terms
) -> None:
    """Raise `Refusal` for an answer that begins in the future, or ends before it begins."""
    latest = terms.at + terms.floors.skew
    for what, at in (("thisUpdate", this_update), ("producedAt", produced_at)):
        if at > latest:
            _refuse(f"{what} is in the future (got {_shown(at)}, now is {_shown(terms.at)})")
    if next_update < this_update:
        _refuse(
            f"nextUpdate is before thisUpdate (got {_shown(next_update)}, "
            f"expected {_shown(this_update)} or later)"
        )


def require_life(
    this_update: datetime, next_update: datetime, expires: datetime, terms: Terms
) -> None:
    """Raise `Refusal` where less life is left than the purpose demands.

    What is about to be written must outlive the writing: by
    `floors.least_life_left`, or by a tenth of the interval where that is less.
    Skew does not help here: clients with right clocks refuse an expired staple.
    """
    if terms.purpose is Purpose.KEPT:
        return
    least = timedelta()
    if terms.purpose is Purpose.NEW:
        least = min(terms.floors.least_life_left, (next_update - this_update) / 10)
    if expires <= terms.at:
        _refuse(f"it expired (got {_shown(expires)}, now is {_shown(terms.at)})")
    if expires - terms.at < least:
        left = expires - terms.at
        _refuse(f"it has too little life left (got {left}, expected at least {least})")


def require_interval(this_update: datetime, next_update: datetime, terms: Terms) -> None:
    """Raise `Refusal` for an answer that claims to be valid for longer than any honest one."""
    interval, longest = next_update - this_update, terms.floors.longest_interval
    if interval > longest:
        problem = f"it is valid for {interval.days} days (expected at most {longest.days})"
        raise Refusal(Rejected(Reason.TIME, problem, step=11))


def unusual(
    this_update: datetime, next_update: datetime, leaf_ends: datetime | None
) -> Iterator[str]:
    """Yield what clients accept and a public CA should not say."""
    interval = next_update - this_update
    if not SHORTEST_USUAL <= interval <= LONGEST_USUAL:
        yield f"it is valid for {interval}, public CAs keep to 8 hours up to 10 days"
    if leaf_ends is not None and next_update > leaf_ends:
        yield f"it is valid beyond the certificate itself, which ends at {_shown(leaf_ends)}"


def _shown(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def _refuse(problem: str) -> None:
    raise Refusal(Rejected(Reason.TIME, problem, step=10))
