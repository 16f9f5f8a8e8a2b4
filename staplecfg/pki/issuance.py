"""Who issued a certificate, found by signature and never by position (RFC 5280, 6.1.3)."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from staplecfg.pki.anatomy import UNREADABLE, anatomy
from staplecfg.pki.names import same_name
from staplecfg.pki.scheme import scheme
from staplecfg.pki.signature import verifies

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cryptography.x509 import Certificate


@lru_cache(maxsize=4096)  # asked when a chain is read, and of each staple judged by it
def issued_by(certificate: Certificate, issuer: Certificate) -> bool:
    """Say whether `issuer` has the name `certificate` was issued under, and the key that signed it.

    SHA-1 and short keys count: this finds who issued it, it does not say that
    anyone should trust it. `cryptography` raises for SHA-1 here.
    """
    try:
        parts, above = anatomy(certificate), anatomy(issuer)
        if not same_name(parts.issuer, above.subject) or parts.algorithm != parts.claimed_algorithm:
            return False
        how, key = scheme(parts.algorithm), issuer.public_key()
    except UNREADABLE:
        return False  # who cannot be read cannot be shown to have issued anything
    return verifies(key, how, parts.signature, parts.tbs)


def issuer_of(leaf: Certificate, candidates: Iterable[Certificate]) -> Certificate | None:
    """Return the first of `candidates` that issued `leaf`, in whatever order they come.

    Cross-signed twins (one name, one key) both did, and either makes the same
    CertID; a namesake with another key did not.
    """
    return next((candidate for candidate in candidates if issued_by(leaf, candidate)), None)
