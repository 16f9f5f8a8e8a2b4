"""How findings say times and durations."""

from __future__ import annotations

from datetime import timedelta, timezone
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

HOURS_SAID_AS_DAYS = timedelta(hours=48)


def moment(time: datetime) -> str:
    """Return `time` to the minute, in UTC."""
    return f"{time.astimezone(timezone.utc):%Y-%m-%d %H:%M} UTC"


def duration(length: timedelta) -> str:
    """Return `length` in the largest unit that keeps it above one: `3 days`, `5 h`, `12 min`."""
    if length >= HOURS_SAID_AS_DAYS:
        return f"{length.days} days"
    if length >= timedelta(hours=1):
        return f"{length // timedelta(hours=1)} h"
    return f"{max(0, length // timedelta(minutes=1))} min"
