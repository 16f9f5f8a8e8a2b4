"""Decode the octets of an OCSP response (RFC 6960, 4.2.1): structure alone, and its limits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.model.staple import CertStatus
from staplecfg.pki import der
from staplecfg.pki.der import Fields, context
from staplecfg.pki.response import Basic, CertID, Extension, Moment, Response, Single

if TYPE_CHECKING:
    from staplecfg.pki.der import Element

MOST_BYTES = 64 * 1024
MOST_CERTIFICATES = 10
MOST_SINGLES = 100
MOST_EXTENSIONS = 20

SUCCESSFUL = 0
BASIC_OID = "1.3.6.1.5.5.7.48.1.1"
STATUSES = {
    context(0, constructed=False): CertStatus.GOOD,
    context(1): CertStatus.REVOKED,
    context(2, constructed=False): CertStatus.UNKNOWN,
}


def decode(data: bytes) -> Response:
    """Return what `data` encodes; raises `NotDER` for anything else, and beyond the limits."""
    if len(data) > MOST_BYTES:
        raise der.NotDER(f"it is {len(data)} bytes long (expected at most {MOST_BYTES})")
    fields = Fields(der.read(data, der.SEQUENCE))
    status = der.integer(fields.take(der.ENUMERATED))
    wrapped = fields.optional(context(0))
    fields.end()
    if status != SUCCESSFUL or wrapped is None:
        return Response(status, None, None)
    content = Fields(der.inside(wrapped, der.SEQUENCE))
    kind = der.identifier(content.take(der.OBJECT_IDENTIFIER))
    octets = content.take(der.OCTET_STRING).content
    content.end()
    return Response(status, kind, _basic(octets) if kind == BASIC_OID else None)


def _basic(octets: bytes) -> Basic:
    fields = Fields(der.read(octets, der.SEQUENCE))
    tbs = fields.take(der.SEQUENCE)
    algorithm = fields.take(der.SEQUENCE)
    signature = fields.take(der.BIT_STRING)
    certificates = fields.optional(context(0))
    fields.end()
    return _response_data(
        tbs,
        algorithm=algorithm.whole,
        signature=der.bits(signature),
        certificates=_certificates(certificates),
    )


def _response_data(
    tbs: Element, *, algorithm: bytes, signature: bytes, certificates: tuple[bytes, ...]
) -> Basic:
    data = Fields(tbs)
    version = data.optional(context(0))
    name = data.optional(context(1))
    key = data.take(context(2)) if name is None else None
    produced_at = _moment(data.take(der.GENERALIZED_TIME))
    singles = der.children(data.take(der.SEQUENCE), MOST_SINGLES)
    extensions = _extensions(data.optional(context(1)))
    data.end()
    return Basic(
        version=der.integer(der.inside(version, der.INTEGER)) if version else 0,
        responder_name=der.inside(name, der.SEQUENCE).whole if name else None,
        responder_key=der.inside(key, der.OCTET_STRING).content if key else None,
        produced_at=produced_at,
        singles=tuple(_single(single) for single in singles),
        extensions=extensions,
        tbs=tbs.whole,
        algorithm=algorithm,
        signature=signature,
        certificates=certificates,
    )


def _certificates(wrapped: Element | None) -> tuple[bytes, ...]:
    if wrapped is None:
        return ()
    members = der.children(der.inside(wrapped, der.SEQUENCE), MOST_CERTIFICATES)
    return tuple(member.whole for member in members)


def _single(element: Element) -> Single:
    fields = Fields(element)
    about = certid(fields.take(der.SEQUENCE))
    answer = fields.any()
    if answer.tag not in STATUSES:
        raise der.NotDER(f"a certStatus is none of RFC 6960's (got tag {answer.tag:#x})")
    status = STATUSES[answer.tag]
    if status is not CertStatus.REVOKED and answer.content:
        raise der.NotDER(f"a certStatus {status.value} has content")
    revoked_at, reason = _revocation(answer) if status is CertStatus.REVOKED else (None, None)
    this_update = _moment(fields.take(der.GENERALIZED_TIME))
    next_update = fields.optional(context(0))
    extensions = _extensions(fields.optional(context(1)))
    fields.end()
    return Single(
        about,
        status,
        this_update,
        _moment(der.inside(next_update, der.GENERALIZED_TIME)) if next_update else None,
        revoked_at,
        reason,
        extensions,
    )


def certid(element: Element) -> CertID:
    """Return the CertID that `element` encodes (RFC 6960, 4.1.1); raises `NotDER`."""
    fields = Fields(element)
    algorithm = Fields(fields.take(der.SEQUENCE))
    hash_oid = der.identifier(algorithm.take(der.OBJECT_IDENTIFIER))
    name_hash = fields.take(der.OCTET_STRING).content
    key_hash = fields.take(der.OCTET_STRING).content
    serial = der.integer(fields.take(der.INTEGER))
    fields.end()
    return CertID(hash_oid, name_hash, key_hash, serial)


def _revocation(answer: Element) -> tuple[Moment, int | None]:
    fields = Fields(answer, context(1))
    at = _moment(fields.take(der.GENERALIZED_TIME))
    reason = fields.optional(context(0))
    fields.end()
    return at, der.integer(der.inside(reason, der.ENUMERATED)) if reason else None


def _moment(element: Element) -> Moment:
    return Moment(element.content.decode("ascii", "replace"), der.moment(element))


def _extensions(wrapped: Element | None) -> tuple[Extension, ...]:
    if wrapped is None:
        return ()
    members = der.children(der.inside(wrapped, der.SEQUENCE), MOST_EXTENSIONS)
    return tuple(_extension(member) for member in members)


def _extension(element: Element) -> Extension:
    fields = Fields(element)
    oid = der.identifier(fields.take(der.OBJECT_IDENTIFIER))
    critical = fields.optional(der.BOOLEAN)
    value = fields.take(der.OCTET_STRING)
    fields.end()
    return Extension(oid, critical is not None and der.boolean(critical), value.content)
