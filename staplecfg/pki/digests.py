"""The hash algorithms of CertIDs and signatures, by object identifier."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from cryptography.hazmat.primitives import hashes


@dataclass(frozen=True, slots=True)
class Digest:
    """One hash algorithm, as people, hashlib and `cryptography` name it."""

    name: str
    hashlib_name: str
    algorithm: hashes.HashAlgorithm

    def of(self, content: bytes) -> bytes:
        """Return the hash of `content`; a name for something, never its protection."""
        return hashlib.new(self.hashlib_name, content, usedforsecurity=False).digest()


SHA1 = Digest("SHA-1", "sha1", hashes.SHA1())  # noqa: S303 - CertIDs are SHA-1 by RFC 5019
SHA256 = Digest("SHA-256", "sha256", hashes.SHA256())

BY_OID = {
    "1.3.14.3.2.26": SHA1,
    "2.16.840.1.101.3.4.2.4": Digest("SHA-224", "sha224", hashes.SHA224()),
    "2.16.840.1.101.3.4.2.1": SHA256,
    "2.16.840.1.101.3.4.2.2": Digest("SHA-384", "sha384", hashes.SHA384()),
    "2.16.840.1.101.3.4.2.3": Digest("SHA-512", "sha512", hashes.SHA512()),
}
"""MD5 is missing on purpose: a CertID or signature made with it matches nothing."""
