"""One HTTP connection of the local responder: a request, an answer, and good-bye.

The connection is closed right behind the answer, which nginx waits for: it
does not look at Content-Length (1.22.1). One clock runs from the first moment
to the last, so neither silence nor a dripping request or reader holds a place.
"""

from __future__ import annotations

import asyncio
from email.utils import formatdate
from http import HTTPStatus
from typing import TYPE_CHECKING, cast

import h11

from staplecfg.pki.asked import MOST_BYTES
from staplecfg.staples.answer import request_in

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

RESPONSE_TYPE = b"application/ocsp-response"
SECONDS = 10.0
"""The longest a connection may live; an answer takes milliseconds."""
LINGER = 1.0
"""Seconds for which a refused client's rest is taken in, so that it reads why it was refused."""
MOST_HEADER = 8 * 1024
PIECE = 4 * 1024
METHODS = (b"GET", b"POST")


class Visitor(asyncio.Protocol):
    """Hears one request out; `answer` makes the DER answer of a DER request."""

    def __init__(
        self,
        answer: Callable[[bytes], bytes],
        *,
        entered: Callable[[Visitor], None],
        left: Callable[[Visitor], None],
        seconds: float = SECONDS,
    ) -> None:
        """Tell `entered` and `left` of itself; live for `seconds` at most."""
        self._answer = answer
        self._entered = entered
        self._left = left
        self._seconds = seconds
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=MOST_HEADER)
        self._request: h11.Request | None = None
        self._body = b""
        self._done = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`."""
        self._transport = cast("asyncio.Transport", transport)
        self._loop = asyncio.get_running_loop()
        self._end = self._loop.call_later(self._seconds, self.throw_out)
        self._entered(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - why is all the same
        """See `asyncio.Protocol`."""
        self._end.cancel()
        self._left(self)

    def throw_out(self) -> None:
        """End the connection here and now, whatever is still to be sent."""
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        try:
            # By the piece, for h11 measures only what is incomplete after one.
            for start in range(0, len(data), PIECE):
                if self._done:
                    return
                self._http.receive_data(data[start : start + PIECE])
                self._listen()
        except h11.RemoteProtocolError as error:
            self._refuse(error.error_status_hint)

    def _listen(self) -> None:
        while not self._done:
            event = self._http.next_event()
            if isinstance(event, h11.Request):
                self._begin(event)
            elif isinstance(event, h11.Data):
                self._body += event.data
                if len(self._body) > MOST_BYTES:
                    self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            elif isinstance(event, h11.EndOfMessage):
                self._reply()
            else:  # more is needed, or nothing more will come
                return

    def _begin(self, request: h11.Request) -> None:
        self._request = request
        if request.method not in METHODS:
            self._refuse(HTTPStatus.METHOD_NOT_ALLOWED, [(b"Allow", b", ".join(METHODS))])
        elif self._http.they_are_waiting_for_100_continue:
            more = h11.InformationalResponse(status_code=HTTPStatus.CONTINUE, headers=[])
            self._transport.write(self._http.send(more) or b"")

    def _reply(self) -> None:
        request = self._request
        if request is None:
            return
        given = request_in(request.target) if request.method == b"GET" else self._body
        self._send(HTTPStatus.OK, self._answer(given), [(b"Content-Type", RESPONSE_TYPE)])
        self._transport.close()

    def _refuse(self, status: int, headers: Sequence[tuple[bytes, bytes]] = ()) -> None:
        if self._http.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
            self._send(status, b"", headers)
        self._done = True
        if self._transport.is_closing():
            return
        # With bytes still to be read, closing would reset the connection under what was sent.
        self._transport.write_eof()
        self._loop.call_later(LINGER, self._transport.close)

    def _send(self, status: int, body: bytes, headers: Sequence[tuple[bytes, bytes]]) -> None:
        self._done = True
        fixed = [
            (b"Date", formatdate(usegmt=True).encode("ascii")),
            (b"Content-Length", str(len(body)).encode("ascii")),
            (b"Connection", b"close"),
        ]
        events = (
            h11.Response(
                status_code=status,
                headers=[*headers, *fixed],
                reason=HTTPStatus(status).phrase.encode("ascii"),
            ),
            h11.Data(data=body),
            h11.EndOfMessage(),
        )
        self._transport.write(b"".join(self._http.send(event) or b"" for event in events))
