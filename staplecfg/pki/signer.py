"""Who signed a response, and that they may (RFC 6960, 3.2 items 2 to 4, and 4.2.2.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from staplecfg.model.verdict import Reason, Rejected
from staplecfg.pki.anatomy import UNREADABLE, anatomy, load, title
from staplecfg.pki.delegate import read_delegate, require_authorization
from staplecfg.pki.digests import SHA1
from staplecfg.pki.names import same_name
from staplecfg.pki.refusal import Refusal
from staplecfg.pki.scheme import Scheme, scheme
from staplecfg.pki.signature import verifies, weakness
from staplecfg.pki.terms import Purpose

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
    from cryptography.x509 import Certificate

    from staplecfg.pki.response import Basic
    from staplecfg.pki.terms import Terms


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signed. `expires` is the notAfter of a delegate's certificate, None for the issuer."""

    title: str
    expires: datetime | None = None
    warnings: tuple[str, ...] = ()


def authorized_signer(basic: Basic, leaf: Certificate, issuer: Certificate, terms: Terms) -> Signer:
    """Return who signed `basic`: the issuer of `leaf`, or one that it issued for the purpose.

    Raises `Refusal`. A responder's revocation is not looked into, whether or
    not it carries id-pkix-ocsp-nocheck: RFC 6960, 4.2.2.2.1 leaves that to
    local policy, no browser does it, and its notAfter ends the staple anyway.
    """
    how = _scheme(basic)
    first: Refusal | None = None
    for certificate in _named(basic, issuer):
        try:
            return _signer(certificate, how, basic, leaf, issuer, terms)
        except Refusal as refusal:
            first = first or refusal
    if first is not None:
        raise first
    problem = (
        f"the responder is neither the issuer nor one whose certificate came with it "
        f'(got {_responder(basic)}, expected "{title(issuer)}" or its delegate)'
    )
    raise Refusal(Rejected(Reason.SIGNER, problem, step=5))


def _scheme(basic: Basic) -> Scheme:
    try:
        how = scheme(basic.algorithm)
    except UNREADABLE as error:
        raise Refusal(Rejected(Reason.ALGORITHM, str(error), step=4)) from error
    return how


def _named(basic: Basic, issuer: Certificate) -> Iterator[Certificate]:
    """Yield those the ResponderID names: the issuer itself first, then embedded certificates."""
    if _is_named(basic, issuer):
        yield issuer
    for encoded in basic.certificates:
        try:
            certificate = load(encoded)
            named = _is_named(basic, certificate)
        except UNREADABLE:
            continue  # what cannot be read cannot be who signed; the rest may be
        if named and anatomy(certificate).key_bits != anatomy(issuer).key_bits:
            yield certificate


def _is_named(basic: Basic, certificate: Certificate) -> bool:
    """Compare the ResponderID; byKey is always SHA-1 (RFC 6960, 4.2.1)."""
    parts = anatomy(certificate)
    if basic.responder_name is not None:
        return same_name(basic.responder_name, parts.subject)
    return basic.responder_key == SHA1.of(parts.key_bits)


def _signer(
    certificate: Certificate,
    how: Scheme,
    basic: Basic,
    leaf: Certificate,
    issuer: Certificate,
    terms: Terms,
) -> Signer:
    if certificate is issuer:
        _require_signature(_key(issuer), how, basic, title(issuer), terms)
        return Signer(title(issuer))
    delegate = read_delegate(certificate)
    # A kept response needs its delegate to have lived when it signed; its end
    # is part of the staple's age, which is for the caller to judge.
    signed_at = basic.produced_at.at or terms.at
    kept = terms.purpose is Purpose.KEPT
    alive_at = min(signed_at, terms.at) if kept else terms.at
    require_authorization(delegate, leaf, issuer, alive_at, terms)
    _require_signature(delegate.key, how, basic, delegate.title, terms)
    return Signer(delegate.title, delegate.not_after, delegate.warnings)


def _key(certificate: Certificate) -> CertificatePublicKeyTypes:
    try:
        return certificate.public_key()
    except UNREADABLE as error:
        problem = f'the key of "{title(certificate)}" cannot be used: {error}'
        raise Refusal(Rejected(Reason.SIGNER, problem, step=5)) from error


def _require_signature(
    key: CertificatePublicKeyTypes, how: Scheme, basic: Basic, name: str, terms: Terms
) -> None:
    if weak := weakness(key, how, allow_sha1=terms.allow_sha1):
        raise Refusal(Rejected(Reason.ALGORITHM, weak, step=4))
    if not verifies(key, how, basic.signature, basic.tbs):
        problem = f'the signature is not by the key of "{name}"'
        raise Refusal(Rejected(Reason.SIGNATURE, problem, step=5))


def _responder(basic: Basic) -> str:
    if basic.responder_key is not None:
        return f"a key whose SHA-1 is {basic.responder_key.hex()}"
    return "another name"
