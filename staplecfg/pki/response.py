"""An OCSP response taken apart (RFC 6960, 4.2.1), before anything in it is believed.

`cryptography` shows no extensions of a SingleResponse and no octets of a time;
a judge needs both, and a person looking at a broken response wants whatever
can be read of it. Certificates and names stay octets here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from staplecfg.model.staple import CertStatus


@dataclass(frozen=True, slots=True)
class Moment:
    """A time as written, and `at` what it means; None where RFC 5280 does not allow it."""

    text: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Extension:
    """One extension; `value` is the content of its OCTET STRING."""

    oid: str
    critical: bool
    value: bytes


@dataclass(frozen=True, slots=True)
class CertID:
    """Which certificate an answer is about (RFC 6960, 4.1.1)."""

    hash_oid: str
    name_hash: bytes
    key_hash: bytes
    serial: int


@dataclass(frozen=True, slots=True)
class Single:
    """One answer: SingleResponse."""

    certid: CertID
    status: CertStatus
    this_update: Moment
    next_update: Moment | None
    revoked_at: Moment | None
    reason: int | None
    """CRLReason (RFC 5280, 5.3.1), where it is given."""
    extensions: tuple[Extension, ...]


@dataclass(frozen=True, slots=True)
class Basic:
    """BasicOCSPResponse. Exactly one of `responder_name` and `responder_key` is there."""

    version: int
    """As encoded: 0 is v1."""
    responder_name: bytes | None
    responder_key: bytes | None
    produced_at: Moment
    singles: tuple[Single, ...]
    extensions: tuple[Extension, ...]
    tbs: bytes
    algorithm: bytes
    signature: bytes
    certificates: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Response:
    """OCSPResponse. `kind` is its responseType, `basic` None for any but id-pkix-ocsp-basic."""

    status: int
    kind: str | None
    basic: Basic | None
