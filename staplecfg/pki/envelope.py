"""Open a response: the first three steps of the judgement, before anyone's word is weighed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from cryptography.x509 import ocsp

from staplecfg.model.verdict import Reason, Rejected
from staplecfg.pki.anatomy import UNREADABLE, quietly
from staplecfg.pki.decode import SUCCESSFUL, decode
from staplecfg.pki.der import NotDER
from staplecfg.pki.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from staplecfg.pki.response import Basic, Moment, Response

STATUS_NAMES = {
    0: "successful",
    1: "malformedRequest",
    2: "internalError",
    3: "tryLater",
    5: "sigRequired",
    6: "unauthorized",
}
"""RFC 6960, 4.2.1; 4 is not used."""


def basic_response(der: bytes) -> Basic:
    """Return the answer `der` carries; raises `Refusal` for an error or anything that is none."""
    # (1) It is a response, whole and nothing else (RFC 6960, 4.2.1).
    response = _decoded(der)
    # (2) It is an answer, not an error: clients fail hard on a stapled error.
    _require_success(response)
    # (3) It is of the basic type, version 1, with times as RFC 5280 writes them.
    return _basic(response, der)


def _decoded(der: bytes) -> Response:
    try:
        return decode(der)
    except NotDER as error:
        raise Refusal(Rejected(Reason.MALFORMED, f"not a response: {error}", step=1)) from error


def _require_success(response: Response) -> None:
    if response.status != SUCCESSFUL:
        name = STATUS_NAMES.get(response.status, "none RFC 6960 knows")
        problem = f"the responder says {name} (status {response.status})"
        rejected = Rejected(Reason.UNSUCCESSFUL, problem, 2, response_status=response.status)
        raise Refusal(rejected)


def _basic(response: Response, der: bytes) -> Basic:
    basic = response.basic
    if basic is None:
        kind = response.kind or "none"
        _malformed(f"the response type is {kind} (expected id-pkix-ocsp-basic)")
    if basic.version != 0:
        _malformed(f"the version is {basic.version + 1} (expected 1)")
    for what, moment in _moments(basic):
        if moment.at is None:
            _malformed(f'{what} is not a time (got "{moment.text}", expected YYYYMMDDHHMMSSZ)')
    try:
        # A second reader, with the eyes of another author.
        with quietly():
            ocsp.load_der_ocsp_response(der)
    except UNREADABLE as error:
        raise Refusal(Rejected(Reason.MALFORMED, f"not a response: {error}", step=3)) from error
    return basic


def _moments(basic: Basic) -> Iterator[tuple[str, Moment]]:
    yield "producedAt", basic.produced_at
    for single in basic.singles:
        yield "thisUpdate", single.this_update
        if single.next_update is not None:
            yield "nextUpdate", single.next_update
        if single.revoked_at is not None:
            yield "revocationTime", single.revoked_at


def _malformed(problem: str) -> NoReturn:
    raise Refusal(Rejected(Reason.MALFORMED, problem, step=3))
