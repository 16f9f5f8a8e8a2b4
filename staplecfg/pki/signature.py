"""Verify signatures by scheme, and say which of them prove nothing however well they verify."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa

from staplecfg.pki.digests import BY_OID
from staplecfg.pki.scheme import ECDSA, ED448, ED25519, RSA, RSA_PSS

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

    from staplecfg.pki.digests import Digest
    from staplecfg.pki.scheme import Scheme

STRONG = {None, "SHA-256", "SHA-384", "SHA-512"}
LEAST_RSA_BITS = 2048
LEAST_EC_BITS = 224
"""As strong as RSA of 2048 bits (NIST SP 800-57, table 2)."""


def weakness(key: CertificatePublicKeyTypes, how: Scheme, *, allow_sha1: bool) -> str | None:
    """Say why a signature made with `key` as `how` says proves nothing, or None where it does.

    MD5 never, SHA-1 only where `allow_sha1`: CAs may not sign responses with it
    since June 2022 (Baseline Requirements, 7.1.3.2.1).
    """
    if how.digest not in STRONG and not (allow_sha1 and how.digest == "SHA-1"):
        return f"it is signed by {how} (expected SHA-256, SHA-384 or SHA-512)"
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < LEAST_RSA_BITS:
        return f"the RSA key has {key.key_size} bits (expected at least {LEAST_RSA_BITS})"
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.key_size < LEAST_EC_BITS:
        return f"the EC key has {key.curve.key_size} bits (expected at least {LEAST_EC_BITS})"
    return None


def verifies(key: CertificatePublicKeyTypes, how: Scheme, signature: bytes, content: bytes) -> bool:
    """Say whether `key` made `signature` over `content` the way `how` says."""
    digest = next((one for one in BY_OID.values() if one.name == how.digest), None)
    try:
        return _verify(key, how, digest, signature, content)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        return False


def _verify(
    key: CertificatePublicKeyTypes,
    how: Scheme,
    digest: Digest | None,
    signature: bytes,
    content: bytes,
) -> bool:
    hashed = digest.algorithm if digest else None
    if isinstance(key, rsa.RSAPublicKey) and how.family == RSA and hashed:
        key.verify(signature, content, padding.PKCS1v15(), hashed)
    elif isinstance(key, rsa.RSAPublicKey) and how.family == RSA_PSS and hashed:
        salted = padding.PSS(padding.MGF1(hashed), how.salt)
        key.verify(signature, content, salted, hashed)
    elif isinstance(key, ec.EllipticCurvePublicKey) and how.family == ECDSA and hashed:
        key.verify(signature, content, ec.ECDSA(hashed))
    elif (isinstance(key, ed25519.Ed25519PublicKey) and how.family == ED25519) or (
        isinstance(key, ed448.Ed448PublicKey) and how.family == ED448
    ):
        key.verify(signature, content)
    else:
        return False
    return True
