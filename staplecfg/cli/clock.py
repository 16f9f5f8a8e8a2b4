"""The time; the one place that reads it."""

from __future__ import annotations

from datetime import datetime, timezone


def clock() -> datetime:
    """Return the time in UTC."""
    return datetime.now(timezone.utc)
