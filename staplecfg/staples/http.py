"""One HTTP exchange: one request, one answer, bounded in time, in bytes and in where it goes.

No redirects, retries, cookies, credentials, decompression, nor proxies from the
environment; the body is signed, so leniency in framing harms nobody, but a body
that ended early must be told from one that did not.
"""

from __future__ import annotations

from base64 import b64encode
from http.client import BadStatusLine, HTTPException, RemoteDisconnected
from typing import TYPE_CHECKING

from urllib3.connection import HTTPConnection
from urllib3.exceptions import HTTPError

from staplecfg import __version__
from staplecfg.staples.address import Forbidden, addresses, as_literal, require_allowed
from staplecfg.staples.message import Answer, Barred, Broken, Silent, Useless
from staplecfg.staples.retry_after import parse_retry_after
from staplecfg.staples.url import one_line
from staplecfg.staples.wire import Deadline, TooMuch, Wire, connect

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from urllib3.response import HTTPResponse

    from staplecfg.staples.message import Outcome, Request, Route
    from staplecfg.staples.url import Url

MOST_BODY = 64 * 1024
MOST_HEAD = 64 * 1024
FRAMING = 32 * 1024
"""Chunk sizes, trailers and 1xx answers beside the head and the body."""

_WORDS: tuple[tuple[type[Exception], str], ...] = (
    (RemoteDisconnected, "it closed the connection without an answer"),
    (ConnectionError, "it broke the connection off"),
    (BadStatusLine, "what it answers is not HTTP"),
    (HTTPError, "its answer is cut off, or not framed as HTTP is"),
    (ValueError, "its answer is not framed as HTTP is"),  # a chunk of negative size
)

_OK = (200, 203)
_READ = 16 * 1024


def exchange(request: Request, route: Route, *, deadline: Deadline, now: datetime) -> Outcome:
    """Carry out `request` over `route` by `deadline`, looking up and connecting included.

    At most 160 KiB are received, whatever is sent. Never raises for anything
    the network does; `now` is what a Retry-After in seconds counts from.
    """
    try:
        wire = _connect(request.url, route, deadline)
    except Forbidden as error:
        return Barred(error.problem, error.hint)
    except OSError as error:
        return Silent(one_line(str(error)))
    with wire:
        try:
            outcome = _converse(wire, request, route, deadline, now)
        except (HTTPError, HTTPException, OSError, TooMuch, ValueError) as error:
            outcome = Broken(_words(error))
    # After the outcome, not instead of it: the library takes the end of the
    # connection inside the headers for the end of the headers.
    if isinstance(wire.broken, TimeoutError):
        return Silent(one_line(str(wire.broken)))
    return outcome if wire.broken is None else Broken(one_line(str(wire.broken)))


def _connect(url: Url, route: Route, deadline: Deadline) -> Wire:
    """Connect to the responder's checked address, or to the proxy, which is the user's own word.

    What the proxy makes of a name is out of our sight; a literal is not.
    """
    goal: Url = route.proxy or url
    if route.proxy is not None and (literal := as_literal(url.host)) is not None:
        require_allowed(literal, route.allowed)
    return connect(
        addresses(goal.host, route.resolve, deadline.left),
        goal.port,
        allowed=route.allowed if route.proxy is None else None,
        deadline=deadline,
        allowance=MOST_HEAD + MOST_BODY + FRAMING,
    )


def _converse(
    wire: Wire, request: Request, route: Route, deadline: Deadline, now: datetime
) -> Outcome:
    connection = HTTPConnection(request.url.host, request.url.port, timeout=deadline.left)
    connection.sock = wire
    connection.request(
        "GET" if request.body is None else "POST",
        request.url.target if route.proxy is None else str(request.url),
        body=request.body,
        headers=dict(_headers(request, route)),
        preload_content=False,
        decode_content=False,
    )
    response = connection.getresponse()
    try:
        useless = _objection(response, request, now)
        return useless if useless is not None else _body(response)
    finally:
        response.close()
        connection.close()


def _headers(request: Request, route: Route) -> Iterator[tuple[str, str]]:
    yield "Host", request.url.authority
    yield "User-Agent", f"staplecfg/{__version__}"
    yield "Accept", request.accept or "*/*"
    yield "Accept-Encoding", "identity"
    yield "Connection", "close"
    if request.content_type is not None:
        yield "Content-Type", request.content_type
    if request.past_caches:
        yield "Cache-Control", "no-cache"
    if route.proxy is not None and route.proxy.user is not None:
        credentials = b64encode(route.proxy.user.encode()).decode()
        yield "Proxy-Authorization", f"Basic {credentials}"


def _objection(response: HTTPResponse, request: Request, now: datetime) -> Useless | None:
    """Say why the head of `response` rules it out, or return None."""
    if response.status not in _OK:
        return Useless(
            f"HTTP status {response.status}{_about(response)}",
            parse_retry_after(response.headers.get("Retry-After"), now),
        )
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("", "identity"):
        return Useless(f'it is encoded ("{one_line(encoding)}"), which was not asked for')
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if request.accept is not None and kind not in ("", request.accept):
        return Useless(f'it is of type "{one_line(kind)}", not "{request.accept}"')
    length = response.length_remaining
    if length is not None and length > MOST_BODY:
        return Useless(f"it says it is {length} bytes long; {MOST_BODY} are the most")
    return None


def _about(response: HTTPResponse) -> str:
    """Return where a redirect leads: the likeliest thing a person needs to know of it."""
    location = response.headers.get("Location")
    return f", redirected to {one_line(location)}; redirects are not followed" if location else ""


def _body(response: HTTPResponse) -> Answer | Broken:
    body = b""
    # Up to the end of the framing: only there a body that is too short is noticed.
    for part in response.stream(_READ):
        body += part
        if len(body) > MOST_BODY:
            return Broken(f"it is longer than {MOST_BODY} bytes")
    if not body:
        return Broken("its body is empty")
    return Answer(body)


def _words(error: Exception) -> str:
    """Return `error` in words that fit on the line of a message."""
    words = next((words for kind, words in _WORDS if isinstance(error, kind)), None)
    if words is not None:
        return words
    said = one_line(str(error)) or type(error).__name__
    return f"what it answers is not HTTP ({said})" if isinstance(error, HTTPException) else said
