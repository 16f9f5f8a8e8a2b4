"""What a response is judged for: one may be good enough to keep and too old to write."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from staplecfg.model.settings import Floors


class Purpose(Enum):
    """Why someone wants to know."""

    NEW = "new"
    """About to be written: it must be current and have some life left."""
    KEPT = "kept"
    """Read back from our own store: good apart from its age; `Staple.freshness` tells that."""
    SERVED = "served"
    """Received in a handshake: it must be current at this moment."""


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms one judgement goes by."""

    at: datetime
    """The moment it is judged for."""
    floors: Floors
    purpose: Purpose
    allow_sha1: bool
