"""The parts of a certificate that names, keys and signatures are compared by, as octets.

`cryptography` decodes names and keys before it shows them; hashes and
signatures are over what was encoded.
"""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.utils import CryptographyDeprecationWarning

from staplecfg.pki import der

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cryptography.x509 import Certificate

UNREADABLE = (
    ValueError,
    TypeError,
    KeyError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)
"""What a hostile certificate makes `cryptography` raise, at loading or at any property later."""


@contextmanager
def quietly() -> Iterator[None]:
    """Let `cryptography` load what is odd without a word on standard error.

    Roots in every system's store have serial number 0, and what a stranger's
    responder sends is no news for a developer. Threads may leave this one
    filter behind (`warnings` is not theirs), which does no harm.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CryptographyDeprecationWarning)
        yield


def load(octets: bytes) -> Certificate:
    """Return the DER certificate `octets`; raises one of `UNREADABLE`."""
    with quietly():
        return x509.load_der_x509_certificate(octets)


@dataclass(frozen=True, slots=True)
class Anatomy:
    """Octets of one certificate, whole elements unless said otherwise; and its serial number."""

    tbs: bytes
    serial: int
    issuer: bytes
    subject: bytes
    key_bits: bytes
    """The content of the subjectPublicKey BIT STRING: what an issuerKeyHash is made of."""
    algorithm: bytes
    claimed_algorithm: bytes
    """The one inside the signed part; must be the same (RFC 5280, 4.1.1.2)."""
    signature: bytes
    """The content of the BIT STRING."""


@lru_cache(maxsize=1024)  # the system's roots are looked through for every chain
def anatomy(certificate: Certificate) -> Anatomy:
    """Return the parts of `certificate`; raises `NotDER`, which is a `ValueError`."""
    outer = der.Fields(der.read(certificate.public_bytes(Encoding.DER), der.SEQUENCE))
    tbs = outer.take(der.SEQUENCE)
    algorithm = outer.take(der.SEQUENCE)
    signature = outer.take(der.BIT_STRING)
    outer.end()
    inner = der.Fields(tbs)
    inner.optional(der.context(0))
    serial = der.integer(inner.take(der.INTEGER))
    claimed = inner.take(der.SEQUENCE)
    issuer = inner.take(der.SEQUENCE)
    inner.take(der.SEQUENCE)  # validity
    subject = inner.take(der.SEQUENCE)
    key = der.Fields(inner.take(der.SEQUENCE))
    key.take(der.SEQUENCE)
    return Anatomy(
        tbs.whole,
        serial,
        issuer.whole,
        subject.whole,
        der.bits(key.take(der.BIT_STRING)),
        algorithm.whole,
        claimed.whole,
        der.bits(signature),
    )


def title(certificate: Certificate) -> str:
    """Return the subject of `certificate` (RFC 4514), or its serial number where it has none."""
    try:
        return certificate.subject.rfc4514_string() or f"serial {anatomy(certificate).serial:x}"
    except UNREADABLE:
        return "a subject that cannot be read"
