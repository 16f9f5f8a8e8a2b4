"""Answer an OCSP request from the store (RFC 6960, 2.3 and A.1; RFC 5019, 2.2.3)."""

from __future__ import annotations

import binascii
from base64 import b64decode
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from staplecfg.pki.asked import asked
from staplecfg.pki.der import NotDER

if TYPE_CHECKING:
    from datetime import datetime

    from staplecfg.staples.shelf import Shelf

MALFORMED_REQUEST = 1
TRY_LATER = 3
UNAUTHORIZED = 6


def answer(request: bytes, shelf: Shelf, now: datetime) -> bytes:
    """Return the response to the DER `request` at `now`: one from the store, or why there is none.

    tryLater where the certificate is known and there is no current answer, for
    the next run may bring one; unauthorized where it is not known: asking again
    would be no use. nginx and mod_ssl (with SSLStaplingReturnResponderErrors
    off) staple neither. A request about several certificates is answered where
    one response speaks of them all.
    """
    try:
        certids = asked(request)
    except NotDER:
        return unsuccessful(MALFORMED_REQUEST)
    if not all(shelf.knows(certid) for certid in certids):
        return unsuccessful(UNAUTHORIZED)
    staples = [shelf.staple(certid, now) for certid in certids]
    found = {staple.der for staple in staples if staple is not None}
    if None in staples:
        return unsuccessful(TRY_LATER)
    return found.pop() if len(found) == 1 else unsuccessful(UNAUTHORIZED)


def unsuccessful(status: int) -> bytes:
    """Return the OCSPResponse that is nothing but `status` (RFC 6960, 4.2.1)."""
    return bytes((0x30, 0x03, 0x0A, 0x01, status))


def request_in(target: bytes) -> bytes:
    """Return the OCSP request in the `target` of a GET; empty where there is none (RFC 6960, A.1).

    Escaped or not, with or without its padding, behind one slash or two: what
    clients have been seen to send. A whole URL, as proxies are asked with, has
    its own path behind the host.
    """
    path = target.partition(b"?")[0]
    if b"://" in path[:8]:
        path = path.partition(b"://")[2].partition(b"/")[2]
    encoded = unquote_to_bytes(path).strip().strip(b"/").rstrip(b"=")
    try:
        return b64decode(encoded + b"=" * (-len(encoded) % 4), validate=True)
    except (binascii.Error, ValueError):
        return b""
