"""Ask about certificates (RFC 6960, 4.1; RFC 5019, 2.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.ocsp import OCSPRequestBuilder

from staplecfg.pki import der
from staplecfg.pki.digests import SHA1

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography.x509 import Certificate

    from staplecfg.pki.digests import Digest


def request(leaf: Certificate, issuer: Certificate, digest: Digest = SHA1) -> bytes:
    """Return the DER request for the status of `leaf`, whose CertID is hashed by `digest`.

    One certificate, no extensions, no nonce: that is what responders answer
    from prepared responses and caches keep. SHA-1 because many responders
    answer nothing else and many clients look the answer up by nothing else;
    `digests.SHA256` is for those that refuse it.
    """
    builder = OCSPRequestBuilder().add_certificate(leaf, issuer, digest.algorithm)
    return builder.build().public_bytes(Encoding.DER)


def request_for(leaves: Sequence[Certificate], issuer: Certificate, digest: Digest = SHA1) -> bytes:
    """Return the one DER request for the status of all `leaves` of `issuer`, in their order.

    For a server that can send one response only, whichever of its certificates
    it presents. Of one leaf it is what `request` returns.
    """
    requests = b"".join(_only(request(leaf, issuer, digest)) for leaf in leaves)
    return der.sequence(der.sequence(der.sequence(requests)))


def _only(single: bytes) -> bytes:
    """Return the Request in an OCSPRequest that has one and nothing more."""
    tbs = der.Fields(der.read(single, der.SEQUENCE)).take(der.SEQUENCE)
    return der.Fields(tbs).take(der.SEQUENCE).content
