"""Say whether a response may be stapled: the only place that makes a `Staple`.

nginx hands out whatever its staple file holds, so nobody after us looks.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from staplecfg.model.settings import Floors
from staplecfg.model.staple import CertStatus, Staple
from staplecfg.model.verdict import Good, Reason, Rejected
from staplecfg.pki import times
from staplecfg.pki.anatomy import anatomy, title
from staplecfg.pki.certid import answers
from staplecfg.pki.digests import SHA256
from staplecfg.pki.envelope import basic_response
from staplecfg.pki.issuance import issued_by
from staplecfg.pki.oddities import oddities
from staplecfg.pki.refusal import Refusal
from staplecfg.pki.signer import authorized_signer
from staplecfg.pki.terms import Purpose, Terms

if TYPE_CHECKING:
    from datetime import datetime

    from cryptography.x509 import Certificate

    from staplecfg.model.verdict import Judgement
    from staplecfg.pki.response import Basic, Moment, Single
    from staplecfg.pki.signer import Signer

__all__ = ["Purpose", "judge"]

SCT_LIST = "1.3.6.1.4.1.11129.2.4.5"
"""RFC 6962, 3.3: the one extension that clients know in an answer."""
FALLBACK_FLOORS = Floors()


def judge(  # noqa: PLR0913 - each keyword is a term a caller decides by name
    der: bytes,
    leaf: Certificate,
    issuer: Certificate,
    *,
    now: datetime,
    floors: Floors = FALLBACK_FLOORS,
    purpose: Purpose = Purpose.NEW,
    allow_sha1: bool = False,
    replaces: Staple | None = None,
) -> Judgement:
    """Return whether `der` may be stapled for `leaf`, judged at `now` for `purpose`.

    The steps are those of RFC 6960, section 3.2, with what RFC 5019 and the
    clients add; the first that fails gives the reason. Never raises, whatever
    the octets. `replaces` is the staple it would take the place of: an older
    answer about the same certificate is refused.
    """
    terms = Terms(now, floors, purpose, allow_sha1)
    try:
        staple = _judged(der, leaf, issuer, terms)
        _require_newer(staple, replaces)
    except Refusal as refusal:
        return refusal.rejected
    return Good(staple)


def _judged(der: bytes, leaf: Certificate, issuer: Certificate, terms: Terms) -> Staple:
    # (1), (2), (3) It is a response, no error, and of the basic type (4.2.1).
    basic = basic_response(der)
    # (4), (5), (6) Its signature is a strong one, by someone who may sign it (4.2.2.2).
    _require_issuer(leaf, issuer)
    signer = authorized_signer(basic, leaf, issuer, terms)
    # (7) Nothing critical in it is unknown to us, and so to clients (RFC 5280, 4.2).
    _require_known_extensions(basic)
    # (8) It speaks of this certificate (3.2 item 1).
    about = answers(basic.singles, leaf, issuer)
    # (9) The certificate is good (2.2); the strictest answer counts.
    _require_good(about[0])
    # (10), (11) It is neither from the future nor expired, nor valid for ever (4.2.2.1).
    staples = [_staple(single, basic, der, leaf, signer) for single in about]
    for staple in staples:
        times.require_sound(staple.this_update, staple.next_update, staple.produced_at, terms)
        times.require_life(staple.this_update, staple.next_update, staple.expires, terms)
        times.require_interval(staple.this_update, staple.next_update, terms)
    # Of several good answers a client may take any: the first to end speaks for all.
    staple = min(staples, key=lambda staple: staple.next_update)
    return replace(staple, warnings=(*signer.warnings, *oddities(staple, basic, about, leaf)))


def _require_issuer(leaf: Certificate, issuer: Certificate) -> None:
    """Refuse to take the word of a certificate that did not issue `leaf`."""
    if not issued_by(leaf, issuer):
        problem = f'"{title(issuer)}" did not issue "{title(leaf)}", so its word counts for nothing'
        raise Refusal(Rejected(Reason.SIGNER, problem, step=5))


def _require_known_extensions(basic: Basic) -> None:
    singles = (extension for single in basic.singles for extension in single.extensions)
    known = [one for one in singles if one.oid != SCT_LIST]
    for extension in (*basic.extensions, *known):
        if extension.critical:
            problem = f"it has a critical extension no client knows: {extension.oid}"
            raise Refusal(Rejected(Reason.EXTENSION, problem, step=7))


def _require_good(single: Single) -> None:
    if single.status is CertStatus.REVOKED:
        at = single.revoked_at.at if single.revoked_at else None
        when = f" at {at:%Y-%m-%d %H:%M} UTC" if at else ""
        problem = f"the certificate was revoked{when}"
        as_of = single.this_update.at
        raise Refusal(Rejected(Reason.REVOKED, problem, 9, revoked_at=at, revoked_as_of=as_of))
    if single.status is CertStatus.UNKNOWN:
        problem = "the responder does not know the certificate"
        raise Refusal(Rejected(Reason.UNKNOWN, problem, step=9))


def _staple(single: Single, basic: Basic, der: bytes, leaf: Certificate, signer: Signer) -> Staple:
    """Return what `single` says; refuses one without nextUpdate, which may be of any age."""
    if single.next_update is None:
        problem = "it has no nextUpdate, so nobody can tell when it is too old"
        raise Refusal(Rejected(Reason.TIME, problem, step=10))
    return Staple(
        der=der,
        fingerprint=leaf.fingerprint(SHA256.algorithm).hex(),
        serial=anatomy(leaf).serial,
        status=single.status,
        produced_at=_at(basic.produced_at),
        this_update=_at(single.this_update),
        next_update=_at(single.next_update),
        responder_expires=signer.expires,
        signer=signer.title,
    )


def _at(moment: Moment) -> datetime:
    """Return when `moment` is; step (3) has let none through that is not a time."""
    if moment.at is None:
        raise AssertionError(moment.text)
    return moment.at


def _require_newer(staple: Staple, replaces: Staple | None) -> None:
    # (12) It is no older than what it would replace: a replayed answer never wins.
    if replaces is None or replaces.fingerprint != staple.fingerprint:
        return
    if staple.this_update < replaces.this_update:
        problem = (
            f"it is older than the one in place (got thisUpdate {staple.this_update:%F %T}, "
            f"expected {replaces.this_update:%F %T} UTC or later)"
        )
        raise Refusal(Rejected(Reason.OLDER, problem, step=12))
