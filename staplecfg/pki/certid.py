"""Which of a response's answers are about one certificate (RFC 6960, 4.1.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.model.staple import CertStatus
from staplecfg.model.verdict import Reason, Rejected
from staplecfg.pki.anatomy import anatomy
from staplecfg.pki.digests import BY_OID
from staplecfg.pki.refusal import Refusal
from staplecfg.pki.response import CertID

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cryptography.x509 import Certificate

    from staplecfg.pki.response import Single

STRICTEST_FIRST = (CertStatus.REVOKED, CertStatus.UNKNOWN, CertStatus.GOOD)


def identifies(certid: CertID, leaf: Certificate, issuer: Certificate) -> bool:
    """Say whether `certid` names `leaf` of `issuer`, by whichever hash it uses.

    The name is the issuer field of the leaf and the key the issuer's own, both
    as encoded. An unknown hash, or one of a wrong length, names nothing.
    """
    digest = BY_OID.get(certid.hash_oid)
    return (
        digest is not None
        and certid.serial == anatomy(leaf).serial
        and certid.name_hash == digest.of(anatomy(leaf).issuer)
        and certid.key_hash == digest.of(anatomy(issuer).key_bits)
    )


def certids(leaf: Certificate, issuer: Certificate) -> tuple[CertID, ...]:
    """Return every CertID that names `leaf` of `issuer`: one for each hash that is known."""
    of_leaf, of_issuer = anatomy(leaf), anatomy(issuer)
    return tuple(
        CertID(oid, digest.of(of_leaf.issuer), digest.of(of_issuer.key_bits), of_leaf.serial)
        for oid, digest in BY_OID.items()
    )


def answers(
    singles: Iterable[Single], leaf: Certificate, issuer: Certificate
) -> tuple[Single, ...]:
    """Return every one of `singles` about `leaf`, the strictest first.

    Clients differ in which of several they take, so the worst one counts:
    revoked before unknown before good. Raises `Refusal` where there is none.
    """
    singles = tuple(singles)
    about = [single for single in singles if identifies(single.certid, leaf, issuer)]
    if not about:
        problem = (
            f"it does not speak of this certificate (got {_told(singles)}, "
            f"expected serial {anatomy(leaf).serial:x} of this issuer)"
        )
        raise Refusal(Rejected(Reason.OTHER_CERTIFICATE, problem, step=8))
    return tuple(sorted(about, key=lambda single: STRICTEST_FIRST.index(single.status)))


def _told(singles: tuple[Single, ...]) -> str:
    if not singles:
        return "no answer at all"
    first = f"serial {singles[0].certid.serial:x}"
    return first if len(singles) == 1 else f"{first} and {len(singles) - 1} more"
