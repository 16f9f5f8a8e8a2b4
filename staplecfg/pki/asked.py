"""What an OCSP request asks about (RFC 6960, 4.1.1), for whoever answers it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.pki import decode, der
from staplecfg.pki.der import Fields, context

if TYPE_CHECKING:
    from staplecfg.pki.response import CertID

MOST_BYTES = 16 * 1024
MOST_QUESTIONS = 20


def asked(data: bytes) -> tuple[CertID, ...]:
    """Return the CertIDs that the request `data` asks about, in their order, one at least.

    Who asks, a nonce and a signature change nothing about an answer that was
    made beforehand, and are passed over. Raises `NotDER` for anything else.
    """
    if len(data) > MOST_BYTES:
        raise der.NotDER(f"it is {len(data)} bytes long (expected at most {MOST_BYTES})")
    outer = Fields(der.read(data, der.SEQUENCE))
    tbs = Fields(outer.take(der.SEQUENCE))
    outer.optional(context(0))
    outer.end()
    tbs.optional(context(0))
    tbs.optional(context(1))
    requests = der.children(tbs.take(der.SEQUENCE), MOST_QUESTIONS)
    tbs.optional(context(2))
    tbs.end()
    if not requests:
        raise der.NotDER("it asks about nothing")
    return tuple(_asked(request) for request in requests)


def _asked(request: der.Element) -> CertID:
    fields = Fields(request)
    found = decode.certid(fields.take(der.SEQUENCE))
    fields.optional(context(0))
    fields.end()
    return found
