"""What came of asking and judging: never a bool, for there are more than two answers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from datetime import datetime

    from staplecfg.model.staple import Staple


class Reason(Enum):
    """Why a response was rejected: one member per step of the judgement a caller may tell apart."""

    MALFORMED = "malformed"
    UNSUCCESSFUL = "unsuccessful"
    """responseStatus is not successful (RFC 6960, 4.2.1)."""
    ALGORITHM = "algorithm"
    SIGNER = "signer"
    SIGNATURE = "signature"
    EXTENSION = "extension"
    OTHER_CERTIFICATE = "other-certificate"
    REVOKED = "revoked"
    UNKNOWN = "unknown"
    TIME = "time"
    OLDER = "older"
    """What is on disk is newer."""


@dataclass(frozen=True, slots=True)
class Good:
    """The response may be stapled."""

    staple: Staple


@dataclass(frozen=True, slots=True)
class Rejected:
    """The response may not be stapled; `step` is the step of the judgement that said so."""

    reason: Reason
    problem: str
    step: int
    response_status: int | None = None
    """RFC 6960 OCSPResponseStatus where the response was unsuccessful."""
    revoked_at: datetime | None = None
    revoked_as_of: datetime | None = None
    """thisUpdate of the answer that says revoked."""


@dataclass(frozen=True, slots=True)
class Unreachable:
    """No response could be had from `url`. `retry_after` is the responder's wish, clamped."""

    url: str
    problem: str
    hint: str | None = None
    retry_after: datetime | None = None


Judgement: TypeAlias = "Good | Rejected"
FetchResult: TypeAlias = "Good | Rejected | Unreachable"
