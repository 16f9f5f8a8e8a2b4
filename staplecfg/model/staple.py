"""A judged answer of a responder, and how much of its life is left."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum


class CertStatus(Enum):
    """RFC 6960, 2.2."""

    GOOD = "good"
    REVOKED = "revoked"
    UNKNOWN = "unknown"


class Freshness(Enum):
    """Where in its life a staple is."""

    FRESH = "fresh"
    DUE = "due"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Staple:
    """A response that may be stapled, the bytes and what they say of one certificate.

    Only `pki.judge` makes one. `responder_expires` is the notAfter of a
    delegated responder's certificate, which ends the staple's life too
    (RFC 6960, 4.2.2.2.1 leaves its revocation to us; we do not check it).
    """

    der: bytes
    fingerprint: str
    """SHA-256 of the leaf's DER, lower-case hex."""
    serial: int
    status: CertStatus
    produced_at: datetime
    this_update: datetime
    next_update: datetime
    responder_expires: datetime | None
    signer: str
    """The signer's subject (RFC 4514), for people."""
    warnings: tuple[str, ...] = ()

    @property
    def expires(self) -> datetime:
        """When it may no longer be served: nextUpdate, or the responder certificate's end."""
        if self.responder_expires is None:
            return self.next_update
        return min(self.next_update, self.responder_expires)

    @property
    def half_life(self) -> datetime:
        """When a renewal falls due: the middle of its life."""
        return self.this_update + (self.expires - self.this_update) / 2

    def freshness(self, now: datetime) -> Freshness:
        """Say where `now` falls: before half-life, after it, or past the end."""
        if now >= self.expires:
            return Freshness.EXPIRED
        return Freshness.DUE if now >= self.half_life else Freshness.FRESH

    def share_used(self, now: datetime) -> float:
        """Return the share of its life used at `now`, 0.0 to 1.0."""
        life = (self.expires - self.this_update) / timedelta(seconds=1)
        used = (now - self.this_update) / timedelta(seconds=1)
        return 1.0 if life <= 0 else min(1.0, max(0.0, used / life))
