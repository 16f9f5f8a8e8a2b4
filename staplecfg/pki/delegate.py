"""A certificate that signs responses for its issuer (RFC 6960, 4.2.2.2), and whether it may.

Checked by hand, not by `cryptography`'s path builder: private CAs leave out
extensions that the web's profile demands, and their responders are as real.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from staplecfg.model.verdict import Reason, Rejected
from staplecfg.pki.anatomy import UNREADABLE, anatomy, quietly, title
from staplecfg.pki.names import same_name
from staplecfg.pki.refusal import Refusal
from staplecfg.pki.scheme import scheme
from staplecfg.pki.signature import verifies, weakness

if TYPE_CHECKING:
    from datetime import datetime

    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
    from cryptography.x509 import Certificate

    from staplecfg.pki.terms import Terms

UNDERSTOOD = {
    "2.5.29.15",  # keyUsage
    "2.5.29.17",  # subjectAltName
    "2.5.29.19",  # basicConstraints
    "2.5.29.32",  # certificatePolicies
    "2.5.29.37",  # extKeyUsage
    "1.3.6.1.5.5.7.48.1.5",  # id-pkix-ocsp-nocheck
}
"""Extensions that may be critical; any other critical one must be refused (RFC 5280, 4.2)."""


@dataclass(frozen=True, slots=True)
class Delegate:
    """What a responder's certificate says, read once; `digital_signature` None: no keyUsage."""

    certificate: Certificate
    title: str
    key: CertificatePublicKeyTypes
    not_before: datetime
    not_after: datetime
    purposes: tuple[str, ...]
    critical: tuple[str, ...]
    digital_signature: bool | None
    ca: bool

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the Baseline Requirements, 7.1.2.8, forbid and RFC 6960 does not."""
        found = []
        if self.digital_signature is False:
            found.append("may not make digital signatures by its keyUsage")
        if self.ca:
            found.append("is a certificate authority besides")
        if len(self.purposes) > 1:
            found.append("has extended key usages besides id-kp-OCSPSigning")
        return tuple(f'the responder certificate "{self.title}" {problem}' for problem in found)


def read_delegate(certificate: Certificate) -> Delegate:
    """Return what `certificate` says; raises `Refusal` where any of it cannot be read."""
    try:
        with quietly():
            extensions = certificate.extensions
            usage = _value(extensions, x509.KeyUsage)
            constraints = _value(extensions, x509.BasicConstraints)
            return Delegate(
                certificate=certificate,
                title=title(certificate),
                key=certificate.public_key(),
                not_before=certificate.not_valid_before_utc,
                not_after=certificate.not_valid_after_utc,
                purposes=_purposes(extensions),
                critical=tuple(one.oid.dotted_string for one in extensions if one.critical),
                digital_signature=usage.digital_signature if usage else None,
                ca=constraints is not None and constraints.ca,
            )
    except UNREADABLE as error:
        problem = f"the responder certificate cannot be read: {error}"
        raise Refusal(Rejected(Reason.SIGNER, problem, step=5)) from error


def _value(
    extensions: x509.Extensions, kind: type[x509.extensions.ExtensionTypeVar]
) -> x509.extensions.ExtensionTypeVar | None:
    for extension in extensions:
        if isinstance(extension.value, kind):
            return extension.value
    return None


def _purposes(extensions: x509.Extensions) -> tuple[str, ...]:
    usage = _value(extensions, x509.ExtendedKeyUsage)
    return tuple(purpose.dotted_string for purpose in usage) if usage else ()


def require_authorization(
    delegate: Delegate, leaf: Certificate, issuer: Certificate, alive_at: datetime, terms: Terms
) -> None:
    """Raise `Refusal` unless `issuer`, with its own key, made `delegate` a responder.

    Were the purpose not required, every customer of the CA could sign
    responses about every other. `alive_at` is when it must not have expired yet.
    """
    name = f'the responder certificate "{delegate.title}"'
    parts = anatomy(delegate.certificate)
    if not same_name(parts.issuer, anatomy(leaf).issuer):
        _refuse(f'{name} was issued by another than the certificate\'s issuer, "{title(issuer)}"')
    _require_signature(delegate, issuer, terms)
    if ExtendedKeyUsageOID.OCSP_SIGNING.dotted_string not in delegate.purposes:
        got = ", ".join(delegate.purposes) or "none"
        _refuse(f"{name} is not for signing responses (got {got}, expected id-kp-OCSPSigning)")
    if unknown := sorted(set(delegate.critical) - UNDERSTOOD):
        _refuse(f"{name} has a critical extension nobody knows: {', '.join(unknown)}")
    if terms.at < delegate.not_before:
        _refuse(f"{name} is not valid before {delegate.not_before:%Y-%m-%d %H:%M} UTC")
    if delegate.not_after < alive_at:
        _refuse(f"{name} expired at {delegate.not_after:%Y-%m-%d %H:%M} UTC")


def _require_signature(delegate: Delegate, issuer: Certificate, terms: Terms) -> None:
    name = f'the responder certificate "{delegate.title}"'
    parts = anatomy(delegate.certificate)
    if parts.algorithm != parts.claimed_algorithm:
        _refuse(f"{name} names two different signature algorithms")
    try:
        how, key = scheme(parts.algorithm), issuer.public_key()
    except UNREADABLE as error:
        problem = f"{name}: {error}"
        raise Refusal(Rejected(Reason.ALGORITHM, problem, step=5)) from error
    if weak := weakness(key, how, allow_sha1=terms.allow_sha1):
        raise Refusal(Rejected(Reason.ALGORITHM, f"{name}: {weak}", step=5))
    if not verifies(key, how, parts.signature, parts.tbs):
        _refuse(f'{name} is not signed by the key of "{title(issuer)}"')


def _refuse(problem: str) -> None:
    raise Refusal(Rejected(Reason.SIGNER, problem, step=5))
