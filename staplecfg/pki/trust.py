"""Whether a chain file leads a client to a root without help.

By `cryptography`'s path builder, with the web's demands on extensions turned
off: private CAs leave out half of them and their clients do not mind. What is
left is what every client checks: signatures, times, name and path constraints,
and that whoever issued is a CA.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.x509.verification import (
    Criticality,
    ExtensionPolicy,
    PolicyBuilder,
    Store,
    VerificationError,
)

from staplecfg.pki.anatomy import UNREADABLE, anatomy, title
from staplecfg.pki.issuance import issuer_of
from staplecfg.pki.names import same_name
from staplecfg.pki.scheme import scheme
from staplecfg.pki.signature import weakness

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from cryptography.x509 import Certificate
    from cryptography.x509.verification import Policy

    from staplecfg.model.chain import Chain
    from staplecfg.pki.scheme import Scheme

MOST_DEEP = 8


@dataclass(frozen=True, slots=True)
class Trusted:
    """A way from the leaf to `root` was found, through the file's own certificates alone."""

    root: Certificate


@dataclass(frozen=True, slots=True)
class Untrusted:
    """No way was found; `problem` fits after a colon."""

    problem: str


def trust(chain: Chain, roots: Sequence[Certificate], now: datetime) -> Trusted | Untrusted:
    """Return whether the leaf of `chain` and its file's others reach one of `roots` at `now`.

    An issuer that was handed in does not count: a client would not have it.
    Any one way is enough; an expired cross-certificate beside it does no harm.
    """
    if not roots:
        return Untrusted("there are no roots to go by")
    verifier = (
        PolicyBuilder()
        .store(Store(list(roots)))
        .time(now)
        .max_chain_depth(MOST_DEEP)
        .extension_policies(
            ca_policy=ExtensionPolicy.permit_all().require_present(
                x509.BasicConstraints, Criticality.AGNOSTIC, _require_ca
            ),
            ee_policy=ExtensionPolicy.permit_all(),
        )
        .build_client_verifier()
    )
    try:
        verified = verifier.verify(chain.leaf, list(chain.others))
    except (VerificationError, *UNREADABLE) as error:
        return Untrusted(_diagnosis(chain, roots, now) or str(error))
    return Trusted(verified.chain[-1])


def _require_ca(_: Policy, __: Certificate, constraints: x509.BasicConstraints) -> None:
    # The builder looks too; but whose policy it is has to say so.
    if not constraints.ca:
        raise ValueError("it issued a certificate and is no certificate authority")


def _diagnosis(chain: Chain, roots: Sequence[Certificate], now: datetime) -> str | None:
    """Walk up from the leaf and say where the way ends; None where only the builder knows."""
    current = chain.leaf
    for _ in range(MOST_DEEP):
        if problem := _out_of_time(current, now):
            return problem
        if current in roots:
            return None
        above = issuer_of(current, (*roots, *(one for one in chain.others if one != current)))
        if above is None:
            return _orphaned(current, (*roots, *chain.others))
        # `issuer_of` has read both, or it would not have found one.
        if weak := weakness(above.public_key(), _scheme_of(current), allow_sha1=False):
            return f'"{title(current)}": {weak}'
        current = above
    return None


def _scheme_of(certificate: Certificate) -> Scheme:
    return scheme(anatomy(certificate).algorithm)


def _out_of_time(certificate: Certificate, now: datetime) -> str | None:
    try:
        begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    except UNREADABLE as error:
        return f'"{title(certificate)}" cannot be read: {error}'
    if ends < now:
        return f'"{title(certificate)}" expired at {ends:%Y-%m-%d %H:%M} UTC'
    if now < begins:
        return f'"{title(certificate)}" is not valid before {begins:%Y-%m-%d %H:%M} UTC'
    return None


def _orphaned(certificate: Certificate, present: Sequence[Certificate]) -> str:
    wanted = anatomy(certificate).issuer
    if same_name(wanted, anatomy(certificate).subject):
        return f'"{title(certificate)}" signed itself and is none of the roots'
    namesake = any(same_name(wanted, anatomy(one).subject) for one in present)
    try:
        issuer = certificate.issuer.rfc4514_string()
    except UNREADABLE:
        issuer = "a name that cannot be read"
    if namesake:
        return f'"{issuer}" at hand has another key than the one that issued "{title(certificate)}"'
    return f'"{issuer}", which issued "{title(certificate)}", is neither in the file nor a root'
