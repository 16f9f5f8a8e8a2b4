"""Build OCSP responses octet by octet (RFC 6960, 4.2.1), so that any of them can be a lie."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.support import asn1

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from cryptography.x509 import Certificate

PrivateKey: TypeAlias = "ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey"
Digest: TypeAlias = Literal["md5", "sha1", "sha224", "sha256", "sha384", "sha512"]
Status: TypeAlias = Literal["good", "revoked", "unknown"]

HASHES: dict[str, hashes.HashAlgorithm] = {
    "md5": hashes.MD5(),  # noqa: S303 - a lie the judge must see through
    "sha1": hashes.SHA1(),  # noqa: S303 - ditto
    "sha224": hashes.SHA224(),
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
HASH_OIDS = {
    "md5": "1.2.840.113549.2.5",
    "sha1": "1.3.14.3.2.26",
    "sha224": "2.16.840.1.101.3.4.2.4",
    "sha256": "2.16.840.1.101.3.4.2.1",
    "sha384": "2.16.840.1.101.3.4.2.2",
    "sha512": "2.16.840.1.101.3.4.2.3",
}
RSA_OIDS = {
    "md5": "1.2.840.113549.1.1.4",
    "sha1": "1.2.840.113549.1.1.5",
    "sha224": "1.2.840.113549.1.1.14",
    "sha256": "1.2.840.113549.1.1.11",
    "sha384": "1.2.840.113549.1.1.12",
    "sha512": "1.2.840.113549.1.1.13",
}
ECDSA_OIDS = {
    "sha1": "1.2.840.10045.4.1",
    "sha224": "1.2.840.10045.4.3.1",
    "sha256": "1.2.840.10045.4.3.2",
    "sha384": "1.2.840.10045.4.3.3",
    "sha512": "1.2.840.10045.4.3.4",
}
BASIC = "1.3.6.1.5.5.7.48.1.1"
PSS = "1.2.840.113549.1.1.10"


@dataclass(frozen=True)
class Single:
    """One SingleResponse; `next_update` None leaves it out, a time in bytes goes in as it is."""

    serial: int
    name_hash: bytes
    key_hash: bytes
    this_update: datetime | bytes
    next_update: datetime | bytes | None
    status: Status = "good"
    digest: Digest = "sha1"
    revoked_at: datetime | bytes | None = None
    revocation_reason: int | None = None
    extensions: tuple[bytes, ...] = ()

    @property
    def der(self) -> bytes:
        next_update = (
            [asn1.explicit(0, asn1.time(self.next_update))] if self.next_update is not None else []
        )
        return asn1.sequence(
            self._certid(),
            self._status(),
            asn1.time(self.this_update),
            *next_update,
            *optional_extensions(self.extensions),
        )

    def _certid(self) -> bytes:
        return asn1.sequence(
            asn1.sequence(asn1.oid(HASH_OIDS[self.digest]), asn1.NULL),
            asn1.octets(self.name_hash),
            asn1.octets(self.key_hash),
            asn1.integer(self.serial),
        )

    def _status(self) -> bytes:
        if self.status != "revoked":
            return asn1.tlv(0x80 if self.status == "good" else 0x82)
        reason = (
            [asn1.explicit(0, asn1.enumerated(self.revocation_reason))]
            if self.revocation_reason is not None
            else []
        )
        return asn1.explicit(1, asn1.time(self.revoked_at or self.this_update), *reason)


def optional_extensions(extensions: Sequence[bytes]) -> list[bytes]:
    return [asn1.explicit(1, asn1.sequence(*extensions))] if extensions else []


def fingerprint(digest: Digest, content: bytes) -> bytes:
    return hashlib.new(digest, content, usedforsecurity=False).digest()


def key_bits(certificate: Certificate) -> bytes:
    """Return what is hashed to name a key: the subjectPublicKey without its wrapping."""
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return key.public_bytes(Encoding.DER, PublicFormat.PKCS1)
    if isinstance(key, ec.EllipticCurvePublicKey):
        return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def sign(key: PrivateKey, content: bytes, digest: Digest, *, pss: bool) -> tuple[bytes, bytes]:
    """Return the AlgorithmIdentifier and the signature `key` makes over `content`."""
    algorithm = HASHES[digest]
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return asn1.sequence(asn1.oid("1.3.101.112")), key.sign(content)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        signature = key.sign(content, ec.ECDSA(algorithm))
        return asn1.sequence(asn1.oid(ECDSA_OIDS[digest])), signature
    if pss:
        salted = padding.PSS(padding.MGF1(algorithm), algorithm.digest_size)
        return pss_identifier(digest, algorithm.digest_size), key.sign(content, salted, algorithm)
    signature = key.sign(content, padding.PKCS1v15(), algorithm)
    return asn1.sequence(asn1.oid(RSA_OIDS[digest]), asn1.NULL), signature


def pss_identifier(digest: Digest, salt: int) -> bytes:
    """Return the AlgorithmIdentifier of RSASSA-PSS (RFC 4055, 3.1)."""
    if digest == "sha1":
        return asn1.sequence(asn1.oid(PSS), asn1.sequence())  # its defaults, which DER leaves out
    hashed = asn1.sequence(asn1.oid(HASH_OIDS[digest]), asn1.NULL)
    mask = asn1.sequence(asn1.oid("1.2.840.113549.1.1.8"), hashed)
    parameters = asn1.sequence(
        asn1.explicit(0, hashed), asn1.explicit(1, mask), asn1.explicit(2, asn1.integer(salt))
    )
    return asn1.sequence(asn1.oid(PSS), parameters)


def response_data(
    *,
    responder: bytes,
    produced_at: datetime | bytes,
    singles: Sequence[Single],
    extensions: Sequence[bytes] = (),
    version: int | None = None,
) -> bytes:
    """Return ResponseData; `version` None leaves the default out, as DER demands."""
    return asn1.sequence(
        *([asn1.explicit(0, asn1.integer(version))] if version is not None else []),
        responder,
        asn1.time(produced_at),
        asn1.sequence(*(single.der for single in singles)),
        *optional_extensions(extensions),
    )


def basic(tbs: bytes, algorithm: bytes, signature: bytes, certificates: Sequence[bytes]) -> bytes:
    """Return BasicOCSPResponse."""
    certs = [asn1.explicit(0, asn1.sequence(*certificates))] if certificates else []
    return asn1.sequence(tbs, algorithm, asn1.bits(signature), *certs)


def response(status: int, content: bytes | None, kind: str = BASIC) -> bytes:
    """Return OCSPResponse; `content` None leaves responseBytes out, as every error does."""
    inner = (
        [asn1.explicit(0, asn1.sequence(asn1.oid(kind), asn1.octets(content)))]
        if content is not None
        else []
    )
    return asn1.sequence(asn1.enumerated(status), *inner)
