"""Read a server's certificate file: the leaf, who issued it, what it says of stapling."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID

from staplecfg.model.chain import Chain, NoChain
from staplecfg.model.errors import NotUnderstood
from staplecfg.pki.anatomy import UNREADABLE, anatomy
from staplecfg.pki.digests import SHA256
from staplecfg.pki.issuance import issuer_of
from staplecfg.pki.order import order_problems
from staplecfg.pki.pem import certificates
from staplecfg.pki.trust import Trusted, Untrusted, trust

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import PurePosixPath

    from cryptography.x509 import Certificate

__all__ = [
    "Trusted",
    "Untrusted",
    "issuer_of",
    "order_problems",
    "read_chain",
    "trust",
    "with_issuer",
]


def read_chain(data: bytes, path: PurePosixPath) -> Chain | NoChain:
    """Return what the PEM file `path`, holding `data`, says; never raises, whatever the bytes."""
    try:
        leaf, *others = certificates(data)
    except NotUnderstood as error:
        return NoChain(path, error.problem, error.hint)
    try:
        return _chain(leaf, tuple(others), path)
    except UNREADABLE as error:
        return NoChain(path, f"the certificate cannot be read: {error}", "have it issued anew")


def _chain(leaf: Certificate, others: tuple[Certificate, ...], path: PurePosixPath) -> Chain:
    return Chain(
        path=path,
        leaf=leaf,
        others=others,
        issuer=issuer_of(leaf, others),
        fingerprint=leaf.fingerprint(SHA256.algorithm).hex(),
        serial=anatomy(leaf).serial,
        names=_names(leaf),
        responders=_responders(leaf.extensions),
        must_staple=_must_staple(leaf.extensions),
        not_before=leaf.not_valid_before_utc,
        not_after=leaf.not_valid_after_utc,
    )


def _names(leaf: Certificate) -> tuple[str, ...]:
    """Return the DNS names and addresses; the common name only where there is no subjectAltName."""
    for extension in leaf.extensions:
        if isinstance(extension.value, x509.SubjectAlternativeName):
            dns = extension.value.get_values_for_type(x509.DNSName)
            addresses = extension.value.get_values_for_type(x509.IPAddress)
            return tuple(dict.fromkeys([*dns, *(str(address) for address in addresses)]))
    common = leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return tuple(str(attribute.value) for attribute in common)


def _responders(extensions: x509.Extensions) -> tuple[str, ...]:
    return tuple(
        dict.fromkeys(
            description.access_location.value
            for extension in extensions
            if isinstance(extension.value, x509.AuthorityInformationAccess)
            for description in extension.value
            if description.access_method == AuthorityInformationAccessOID.OCSP
            and isinstance(description.access_location, x509.UniformResourceIdentifier)
        )
    )


def _must_staple(extensions: x509.Extensions) -> bool:
    """Look for status_request; status_request_v2 asks for nothing any more (RFC 8446, 4.4.2.1)."""
    return any(
        x509.TLSFeatureType.status_request in extension.value
        for extension in extensions
        if isinstance(extension.value, x509.TLSFeature)
    )


def with_issuer(chain: Chain, candidates: Iterable[Certificate]) -> Chain:
    """Return `chain` with its issuer found among `candidates`, where its own file has none.

    An issuer handed in, or a root that the file rightly leaves out. What did
    not issue the leaf is passed over, so `chain.issuer` may stay None.
    """
    if chain.issuer is not None:
        return chain
    return replace(chain, issuer=issuer_of(chain.leaf, candidates))
