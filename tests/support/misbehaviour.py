"""Every way a responder was seen, or is feared, to misbehave; each is a `Mode` with a name.

Some are only unusual, and `MODES` does not say which of them a client must put
up with: the table in `tests/staples/test_misbehaving_responders.py` does.
"""

from __future__ import annotations

import gzip
import itertools
from base64 import encodebytes
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tests.support import asn1
from tests.support.authority import Authority
from tests.support.responder import close_at_once, error, honest, never_answer, try_later

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from tests.support.responder import Call, Mode

DAY = timedelta(days=1)
DRIP = 0.02
"""Seconds between two drops."""
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/ocsp-response\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
BLOCK = 64 * 1024
HTML = b"<html><body>Welcome to the network of this hotel</body></html>"
UNHEARD_OF = asn1.extension("1.2.3.4.5", b"\x05\x00", critical=True)
METADATA = "http://169.254.169.254/latest/meta-data/"


def replying(status: str, headers: Mapping[str, str] | None = None) -> Mode:
    """Return the mode that answers everything with an HTTP status."""
    return lambda call: call.reply(b"no", status=status, kind="text/plain", headers=headers)


def saying(body: bytes) -> Mode:
    """Return the mode that answers everything with `body`."""
    return lambda call: call.reply(body)


def lying(lies: Callable[[Call], Mapping[str, Any]]) -> Mode:
    """Return the mode that answers with a response in which `lies` are told."""
    return lambda call: call.reply(call.respond(**lies(call)))


def wrapped(wrap: Callable[[bytes], bytes]) -> Mode:
    """Return the mode that answers with what `wrap` makes of a good response."""
    return lambda call: call.reply(wrap(call.respond()))


def raw(frame: Callable[[bytes], bytes]) -> Mode:
    """Return the mode that sends what `frame` makes of a good response, without HTTP of ours."""
    return lambda call: call.send(frame(call.respond()))


def dripping(before: Callable[[Call], bytes], drops: Iterable[bytes]) -> Mode:
    """Return the mode that sends `before`, then one of `drops` at a time, for ever."""

    def mode(call: Call) -> None:
        call.send(before(call))
        for drop in itertools.cycle(drops):
            if not (call.send(drop) and call.wait(DRIP)):
                return

    return mode


def flooding(before: bytes, block: bytes) -> Mode:
    """Return the mode that sends `before`, then `block` over and over as fast as it can."""

    def mode(call: Call) -> None:
        call.send(before)
        while call.send(block):
            pass

    return mode


def with_length(body: bytes, length: int) -> bytes:
    return OK + f"Content-Length: {length}\r\n\r\n".encode() + body


def chunks(body: bytes, size: int = 100, end: bytes = b"0\r\n\r\n") -> bytes:
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    return CHUNKED + b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + end


def also_revoked(call: Call) -> dict[str, Any]:
    responder, now = call.responder, call.responder.clock()
    single = responder.authority.single(responder.any_leaf, now=now, status="revoked")
    return {"also": [replace(single, serial=call.request.serial or 0)]}


def of_another_authority(_: Call) -> dict[str, Any]:
    return {"signer": Authority.create("Impostor").intermediate}


def of_a_namesake(_: Call) -> dict[str, Any]:
    return {"signer": Authority.create(keys="other").intermediate, "certificates": []}


def of_a_server_certificate(call: Call) -> dict[str, Any]:
    return {"signer": call.responder.any_leaf}


def of_a_delegate_past_its_time(call: Call) -> dict[str, Any]:
    return {"signer": call.responder.authority.delegate(not_after=call.responder.clock() - DAY)}


def of_a_delegate(call: Call) -> dict[str, Any]:
    return {"signer": call.responder.authority.delegate()}


def sha256_only(call: Call) -> object:
    return call.reply(error(6)) if call.request.digest == "sha1" else honest(call)


def post_only(call: Call) -> object:
    if call.request.method == "GET":
        return call.reply(b"", status="405 Method Not Allowed", kind=None)
    return honest(call)


def get_is_a_page(call: Call) -> object:
    return call.reply(HTML) if call.request.method == "GET" else honest(call)


def get_is_malformed(call: Call) -> object:
    return call.reply(error(1)) if call.request.method == "GET" else honest(call)


def stale_in_the_cache(call: Call) -> object:
    if call.request.headers.get("cache-control") == "no-cache":
        return honest(call)
    now = call.responder.clock()
    return call.reply(call.respond(this_update=now - 9 * DAY, next_update=now - 2 * DAY))


def hates_double_slashes(call: Call) -> object:
    if "//" in call.request.target:
        return call.reply(b"", status="404 Not Found", kind=None)
    return honest(call)


def continues_first(call: Call) -> object:
    return call.send(b"HTTP/1.1 100 Continue\r\n\r\n" * 3) and honest(call)


def keeps_the_connection(call: Call) -> object:
    return call.reply(call.respond(), headers={"Connection": "keep-alive"}) and never_answer(call)


def resets(call: Call) -> None:
    call.reset()


def resets_in_the_body(call: Call) -> None:
    call.send(with_length(call.respond()[:100], 1000))
    call.wait(0.05)  # or the reset overtakes what was sent
    call.reset()


def takes_its_time(call: Call) -> object:
    return call.wait(0.1) and honest(call)


CONTENT: dict[str, Mode] = {
    "honest": honest,
    "signed by a delegate": lying(of_a_delegate),
    "tryLater": try_later,
    "internalError": saying(error(2)),
    "malformedRequest": saying(error(1)),
    "sigRequired": saying(error(5)),
    "unauthorized": saying(error(6)),
    "an error status nobody knows": saying(error(9)),
    "success without a response": saying(error(0)),
    "other serial": lying(lambda call: {"serial": (call.request.serial or 0) + 1}),
    "other issuer's key": lying(lambda _: {"key_hash": bytes(20)}),
    "other issuer's name": lying(lambda _: {"name_hash": bytes(20)}),
    "revoked": lying(
        lambda call: {"status": "revoked", "revoked_at": call.responder.clock() - DAY}
    ),
    "good and revoked": lying(also_revoked),
    "unknown": lying(lambda _: {"status": "unknown"}),
    "expired": lying(
        lambda call: {
            "this_update": call.responder.clock() - 9 * DAY,
            "next_update": call.responder.clock() - 2 * DAY,
        }
    ),
    "expires in a minute": lying(lambda _: {"next_update": timedelta(minutes=1)}),
    "from the future": lying(lambda call: {"this_update": call.responder.clock() + DAY}),
    "older than the kept one": lying(
        lambda call: {"this_update": call.responder.clock() - 5 * DAY}
    ),
    "no nextUpdate": lying(lambda _: {"next_update": None}),
    "nextUpdate before thisUpdate": lying(lambda _: {"next_update": -timedelta(hours=2)}),
    "valid for ten years": lying(lambda _: {"next_update": 3650 * DAY}),
    "signed by another authority": lying(of_another_authority),
    "signed by a namesake": lying(of_a_namesake),
    "signed by a server certificate": lying(of_a_server_certificate),
    "signed by an expired delegate": lying(of_a_delegate_past_its_time),
    "forged": lying(lambda _: {"forge": True}),
    "signed with SHA-1": lying(lambda _: {"signed_with": "sha1"}),
    "unknown critical extension": lying(lambda _: {"single_extensions": [UNHEARD_OF]}),
    "PEM": wrapped(lambda der: b"-----BEGIN OCSP RESPONSE-----\n" + encodebytes(der)),
    "a web page in disguise": saying(HTML),
    "trailing bytes": wrapped(lambda der: der + b"\x00"),
    "truncated": wrapped(lambda der: der[:-1]),
    "empty": saying(b""),
    "NUL bytes": saying(bytes(1000)),
    "SHA-256 only": sha256_only,
    "stale in the cache": stale_in_the_cache,
}
HTTP: dict[str, Mode] = {
    "404": replying("404 Not Found"),
    "407": replying("407 Proxy Authentication Required"),
    "500": replying("500 Internal Server Error"),
    "503 with Retry-After": replying("503 Service Unavailable", {"Retry-After": "1800"}),
    "429 with a date": replying("429 Slow", {"Retry-After": "Thu, 15 Jan 2026 12:20:00 GMT"}),
    "503 with Retry-After garbage": replying("503 No", {"Retry-After": "soon \x1b[31m"}),
    "204": lambda call: call.reply(b"", status="204 No Content", kind=None, length=None),
    "206": lambda call: call.reply(call.respond(), status="206 Partial Content"),
    "203": lambda call: call.reply(call.respond(), status="203 Non-Authoritative Information"),
    "101": replying("101 Switching Protocols"),
    "redirect to the metadata service": replying("302 Found", {"Location": METADATA}),
    "redirect to itself": lambda call: replying("301 Moved", {"Location": call.request.target})(
        call
    ),
    "redirect with escape sequences": replying("302 F", {"Location": "http://\x1b[2J\x07a\x85b/"}),
    "GET refused": post_only,
    "GET answered with a page": get_is_a_page,
    "GET malformed": get_is_malformed,
    "hates double slashes": hates_double_slashes,
    "no content type": lambda call: call.reply(call.respond(), kind=None),
    "content type with parameters": lambda call: call.reply(
        call.respond(), kind="Application/OCSP-Response; charset=utf-8"
    ),
    "content type text/html": lambda call: call.reply(HTML, kind="text/html"),
    "good, but octet-stream": lambda call: call.reply(
        call.respond(), kind="application/octet-stream"
    ),
    "gzip": lambda call: call.reply(
        gzip.compress(call.respond()), headers={"Content-Encoding": "gzip"}
    ),
    "gzip bomb": lambda call: call.reply(
        gzip.compress(bytes(16_000_000)), headers={"Content-Encoding": "gzip"}
    ),
    "unknown encoding": lambda call: call.reply(
        call.respond(), headers={"Content-Encoding": "br, \x1b[1m"}
    ),
    "chunked": raw(chunks),
    "chunked with extensions and trailers": raw(
        lambda der: chunks(der, end=b"0;name=value\r\nX-Trailer: 1\r\n\r\n")
    ),
    "chunked without an end": raw(lambda der: chunks(der, end=b"")),
    "chunked with a broken size": raw(lambda der: chunks(der, end=b"zz\r\n\r\n")),
    "chunked with a negative size": raw(lambda der: CHUNKED + b"-5\r\n" + der),
    "Content-Length too long": raw(lambda der: with_length(der, len(der) + 10)),
    "Content-Length too short": raw(lambda der: with_length(der, len(der) - 10)),
    "Content-Length twice": raw(
        lambda der: with_length(der, len(der)).replace(
            b"\r\n\r\n", b"\r\nContent-Length: 3\r\n\r\n", 1
        )
    ),
    "Content-Length nonsense": raw(lambda der: OK + b"Content-Length: many\r\n\r\n" + der),
    "HTTP/1.0 up to the end of the connection": raw(lambda der: b"HTTP/1.0 200 OK\r\n\r\n" + der),
    "HTTP/0.9": raw(lambda der: der),
    "a mail server": raw(lambda _: b"220 mail.example ESMTP\r\n500 what?\r\n"),
    "TLS": raw(lambda _: b"\x15\x03\x01\x00\x02\x02\x46"),
    "100 Continue first": continues_first,
    "connection held open": keeps_the_connection,
    "ends inside the headers": raw(lambda _: OK[:-10]),
    "ends after the status line": raw(lambda _: b"HTTP/1.1 200 OK\r\n"),
    "header without a colon": raw(
        lambda der: b"HTTP/1.1 200 OK\r\nnonsense\r\nContent-Length: 3\r\n\r\n" + der
    ),
}
TIME: dict[str, Mode] = {
    "never answers": never_answer,
    "drips its head": dripping(lambda _: b"HTTP/1.1 200 OK\r\nX: ", [b"y"]),
    "drips headers": dripping(lambda _: OK, [b"X-Header: 1\r\n"]),
    "drips its body": dripping(lambda _: OK + b"Content-Length: 60000\r\n\r\n", [b"\x30"]),
    "drips chunks": dripping(lambda _: CHUNKED, [b"1\r\n0\r\n"]),
    "drips trailers": dripping(lambda call: chunks(call.respond(), end=b"0\r\n"), [b"X: 1\r\n"]),
    "drips 100 Continue": dripping(lambda _: b"", [b"HTTP/1.1 100 Continue\r\n\r\n"]),
    "stops after its head": lambda call: (
        call.send(OK + b"Content-Length: 500\r\n\r\n") and never_answer(call)
    ),
    "takes its time": takes_its_time,
}
SIZE: dict[str, Mode] = {
    "endless headers": flooding(OK, b"X-Header: 1\r\n" * 1000),
    "one endless header": flooding(OK + b"X-Header: ", b"x" * BLOCK),
    "headers as large as allowed, and many": flooding(OK, b"X: " + b"x" * 65000 + b"\r\n"),
    "endless status line": flooding(b"HTTP/1.1 200 ", b"O" * BLOCK),
    "endless 100 Continue": flooding(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
    "endless body": flooding(OK + b"\r\n", b"\x30" * BLOCK),
    "endless body with a length": flooding(
        OK + b"Content-Length: 99999999999\r\n\r\n", b"\x30" * BLOCK
    ),
    "endless chunks": flooding(CHUNKED, b"10\r\n" + b"x" * 16 + b"\r\n"),
    "one huge chunk": flooding(CHUNKED + b"7fffffff\r\n", b"x" * BLOCK),
    "endless chunk size": flooding(CHUNKED, b"0" * BLOCK),
    "endless chunk extension": flooding(CHUNKED + b"5;", b"x" * BLOCK),
    "endless trailers": flooding(CHUNKED + b"0\r\n", b"X: 1\r\n" * 1000),
    "a body one byte too long": saying(b"\x30" * (64 * 1024 + 1)),
}
CONNECTION: dict[str, Mode] = {
    "closes at once": close_at_once,
    "resets at once": resets,
    "resets in the body": resets_in_the_body,
}
MODES: dict[str, Mode] = {**CONTENT, **HTTP, **TIME, **SIZE, **CONNECTION}
