"""Read how something was signed from the octets of its AlgorithmIdentifier.

`cryptography` does not show the parameters of a response's algorithm, and
RSA-PSS cannot be verified without them.
"""

from __future__ import annotations

from dataclasses import dataclass

from staplecfg.pki import der
from staplecfg.pki.digests import BY_OID

RSA = "RSA"
RSA_PSS = "RSA-PSS"
ECDSA = "ECDSA"
ED25519 = "Ed25519"
ED448 = "Ed448"

SCHEMES = {
    "1.2.840.113549.1.1.2": (RSA, "MD2"),
    "1.2.840.113549.1.1.4": (RSA, "MD5"),
    "1.2.840.113549.1.1.5": (RSA, "SHA-1"),
    "1.2.840.113549.1.1.14": (RSA, "SHA-224"),
    "1.2.840.113549.1.1.11": (RSA, "SHA-256"),
    "1.2.840.113549.1.1.12": (RSA, "SHA-384"),
    "1.2.840.113549.1.1.13": (RSA, "SHA-512"),
    "1.2.840.10045.4.1": (ECDSA, "SHA-1"),
    "1.2.840.10045.4.3.1": (ECDSA, "SHA-224"),
    "1.2.840.10045.4.3.2": (ECDSA, "SHA-256"),
    "1.2.840.10045.4.3.3": (ECDSA, "SHA-384"),
    "1.2.840.10045.4.3.4": (ECDSA, "SHA-512"),
    "1.3.101.112": (ED25519, None),
    "1.3.101.113": (ED448, None),
}
PSS_OID = "1.2.840.113549.1.1.10"
MGF1_OID = "1.2.840.113549.1.1.8"
MOST_SALT = 512
"""No RSA modulus in use has room for more octets."""


class UnknownScheme(ValueError):
    """The signature algorithm is none we know; the text fits after a colon."""


@dataclass(frozen=True, slots=True)
class Scheme:
    """How something was signed; `digest` None where the algorithm has its own."""

    family: str
    digest: str | None
    salt: int = 0
    """RSA-PSS: the length of the salt in octets."""

    def __str__(self) -> str:
        return self.family if self.digest is None else f"{self.family} with {self.digest}"


def scheme(algorithm: bytes) -> Scheme:
    """Return what the AlgorithmIdentifier `algorithm` names; raises `UnknownScheme` or `NotDER`."""
    fields = der.Fields(der.read(algorithm, der.SEQUENCE))
    oid = der.identifier(fields.take(der.OBJECT_IDENTIFIER))
    if oid == PSS_OID:
        return _pss(fields.take(der.SEQUENCE))
    if oid not in SCHEMES:
        raise UnknownScheme(f"signature algorithm {oid} is not known")
    family, digest = SCHEMES[oid]
    parameters = fields.optional(der.NULL)
    fields.end()
    if parameters is not None and (parameters.content or family != RSA):
        raise UnknownScheme(f"{family} has parameters where none belong")
    return Scheme(family, digest)


def _pss(parameters: der.Element) -> Scheme:
    """Read RSASSA-PSS-params (RFC 4055, 3.1); what is left out defaults to SHA-1 and 20 octets."""
    fields = der.Fields(parameters)
    hashed = fields.optional(der.context(0))
    masked = fields.optional(der.context(1))
    salt = fields.optional(der.context(2))
    trailer = fields.optional(der.context(3))
    fields.end()
    digest = _digest(der.inside(hashed, der.SEQUENCE)) if hashed else "SHA-1"
    if (_mask_digest(der.inside(masked, der.SEQUENCE)) if masked else "SHA-1") != digest:
        raise UnknownScheme("RSA-PSS hashes the message and the mask differently")
    if trailer is not None and der.integer(der.inside(trailer, der.INTEGER)) != 1:
        raise UnknownScheme("RSA-PSS has an unknown trailer field")
    length = der.integer(der.inside(salt, der.INTEGER)) if salt else 20
    if not 0 <= length <= MOST_SALT:
        raise UnknownScheme(f"RSA-PSS has a salt of {length} octets")
    return Scheme(RSA_PSS, digest, length)


def _digest(algorithm: der.Element) -> str:
    fields = der.Fields(algorithm)
    oid = der.identifier(fields.take(der.OBJECT_IDENTIFIER))
    fields.optional(der.NULL)
    fields.end()
    if oid not in BY_OID:
        raise UnknownScheme(f"hash algorithm {oid} is not known")
    return BY_OID[oid].name


def _mask_digest(mask: der.Element) -> str:
    fields = der.Fields(mask)
    oid = der.identifier(fields.take(der.OBJECT_IDENTIFIER))
    if oid != MGF1_OID:
        raise UnknownScheme(f"RSA-PSS mask generation {oid} is not known")
    digest = _digest(fields.take(der.SEQUENCE))
    fields.end()
    return digest
