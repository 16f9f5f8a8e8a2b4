"""Something a person should know, at the place where they can change it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from staplecfg.model.source import Location


class Severity(Enum):
    """How bad: ERROR visitors are or will be turned away, or safety is at stake."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """What rule `rule` found. `problem` fits after a colon: lower case, no full stop."""

    rule: str
    severity: Severity
    location: Location
    problem: str
    hint: str | None = None
    site: str | None = None
