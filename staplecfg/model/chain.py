"""A certificate, the ones beside it in its file, and who issued it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import PurePosixPath

    from cryptography.x509 import Certificate


@dataclass(frozen=True, slots=True)
class Chain:
    """What one certificate file says.

    `leaf` is the certificate the server presents: the first in the file, as
    nginx has it. `issuer` is the certificate in `others`, or handed in, whose
    key verifies the leaf's signature: found by signature, never by position.
    `fingerprint` is the SHA-256 of the leaf's DER, lower-case hex.
    """

    path: PurePosixPath
    leaf: Certificate
    others: tuple[Certificate, ...]
    issuer: Certificate | None
    fingerprint: str
    serial: int
    names: tuple[str, ...]
    responders: tuple[str, ...]
    """AIA id-ad-ocsp URIs, in order, de-duplicated (RFC 5280, 4.2.2.1)."""
    must_staple: bool
    """TLS feature status_request is in the certificate (RFC 7633)."""
    not_before: datetime
    not_after: datetime


@dataclass(frozen=True, slots=True)
class NoChain:
    """Why `path` gave no chain; `problem` fits after a colon."""

    path: PurePosixPath
    problem: str
    hint: str | None = None
