"""When a host wants to be asked again: the Retry-After header (RFC 9110, 10.2.3)."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime

LEAST = timedelta(seconds=60)
MOST = timedelta(days=1)

_SECONDS = re.compile(r"[0-9]{1,10}")


def parse_retry_after(value: str | None, now: datetime) -> datetime | None:
    """Return when `value`, seconds or a date, allows the next request; None where it is garbage.

    Kept between a minute and a day from `now`: a host may neither have itself
    hammered nor be forgotten.
    """
    if value is None:
        return None
    wait = _wait(value.strip(), now)
    return None if wait is None else now + min(max(wait, LEAST), MOST)


def _wait(value: str, now: datetime) -> timedelta | None:
    if _SECONDS.fullmatch(value):
        return timedelta(seconds=int(value))
    try:
        date = parsedate_to_datetime(value)
        if date.tzinfo is None:  # "-0000": a time in UTC, by someone unsure where they are
            date = date.replace(tzinfo=timezone.utc)
        return date - now
    except (TypeError, ValueError, OverflowError):
        return None
