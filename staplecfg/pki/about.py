"""Decode a response for people, believing nothing: what it says, not whether it is true."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography.x509 import ocsp

from staplecfg.pki.anatomy import UNREADABLE, load, quietly, title
from staplecfg.pki.decode import decode
from staplecfg.pki.der import NotDER
from staplecfg.pki.digests import BY_OID
from staplecfg.pki.envelope import STATUS_NAMES
from staplecfg.pki.scheme import scheme

if TYPE_CHECKING:
    from datetime import datetime

    from staplecfg.model.staple import CertStatus
    from staplecfg.pki.response import Basic, Moment, Single

REASONS = {
    0: "unspecified",
    1: "keyCompromise",
    2: "cACompromise",
    3: "affiliationChanged",
    4: "superseded",
    5: "cessationOfOperation",
    6: "certificateHold",
    8: "removeFromCRL",
    9: "privilegeWithdrawn",
    10: "aACompromise",
}
"""RFC 5280, 5.3.1; 7 is not used."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One SingleResponse. A time that is none is None; `odd_times` has it as written."""

    hash_algorithm: str
    issuer_name_hash: str
    issuer_key_hash: str
    serial: int
    status: CertStatus
    this_update: datetime | None
    next_update: datetime | None
    revoked_at: datetime | None
    revocation_reason: str | None
    extensions: tuple[str, ...]
    odd_times: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class About:
    """What can be read of a response; `problem` says why there is no more."""

    response_status: str | None
    responder: str | None = None
    """A name (RFC 4514), or the SHA-1 of a key in hex."""
    version: int | None = None
    produced_at: datetime | None = None
    answers: tuple[Answer, ...] = ()
    signature_algorithm: str | None = None
    certificates: tuple[str, ...] = ()
    """The subjects of the embedded certificates."""
    extensions: tuple[str, ...] = ()
    """Object identifiers, "critical" after those that are."""
    problem: str | None = None


def about(der: bytes) -> About:
    """Return what `der` says, as far as it can be read; never raises, whatever the octets."""
    try:
        response = decode(der)
    except NotDER as error:
        return About(None, problem=str(error))
    status = STATUS_NAMES.get(response.status, f"status {response.status}")
    basic = response.basic
    if basic is None:
        kind = response.kind
        return About(status, problem=f"the response type {kind} is not known" if kind else None)
    return About(
        response_status=status,
        responder=_responder(basic, der),
        version=basic.version + 1,
        produced_at=basic.produced_at.at,
        answers=tuple(_answer(single) for single in basic.singles),
        signature_algorithm=_algorithm(basic),
        certificates=tuple(_subject(encoded) for encoded in basic.certificates),
        extensions=_extensions(basic),
    )


def _answer(single: Single) -> Answer:
    certid = single.certid
    digest = BY_OID.get(certid.hash_oid)
    moments = (single.this_update, single.next_update, single.revoked_at)
    return Answer(
        hash_algorithm=digest.name if digest else certid.hash_oid,
        issuer_name_hash=certid.name_hash.hex(),
        issuer_key_hash=certid.key_hash.hex(),
        serial=certid.serial,
        status=single.status,
        this_update=single.this_update.at,
        next_update=_at(single.next_update),
        revoked_at=_at(single.revoked_at),
        revocation_reason=None if single.reason is None else _reason(single.reason),
        extensions=_extensions(single),
        odd_times=tuple(moment.text for moment in moments if moment and moment.at is None),
    )


def _at(moment: Moment | None) -> datetime | None:
    return moment.at if moment else None


def _reason(code: int) -> str:
    return REASONS.get(code, f"reason {code}")


def _extensions(bearer: Basic | Single) -> tuple[str, ...]:
    return tuple(
        f"{extension.oid} critical" if extension.critical else extension.oid
        for extension in bearer.extensions
    )


def _algorithm(basic: Basic) -> str:
    try:
        return str(scheme(basic.algorithm))
    except UNREADABLE as error:
        return str(error)


def _responder(basic: Basic, der: bytes) -> str:
    if basic.responder_key is not None:
        return basic.responder_key.hex()
    try:
        with quietly():
            name = ocsp.load_der_ocsp_response(der).responder_name
        return name.rfc4514_string() if name is not None else "no name"
    except UNREADABLE:
        return "a name that cannot be read"


def _subject(encoded: bytes) -> str:
    try:
        return title(load(encoded))
    except UNREADABLE as error:
        return f"cannot be read: {error}"
