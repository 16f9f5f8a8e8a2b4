"""An OCSP responder on loopback that answers honestly, or misbehaves as it is told.

Raw sockets: no HTTP server library would send what a broken one sends. How it
misbehaves is a function of one call (`Mode`); those worth a name are in
`tests.support.misbehaviour`.

    with Responder(authority) as responder:
        issued = authority.leaf(["a.example"], responders=[responder.url])
        responder.mode = close_at_once      # an outage, from the next call on
        assert responder.log[-1].method == "GET"
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import socket
import struct
import threading
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import unquote

from cryptography.x509 import ocsp

from tests.support.responses import key_bits

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from tests.support.authority import Authority

MOST_REQUEST = 65536
PATIENCE = 30.0
"""Seconds after which a thread gives up on a client that says nothing."""


@dataclass(frozen=True)
class Request:
    """What a client asked; `der` is the OCSP request in it, None where there is none."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    der: bytes | None

    @property
    def serial(self) -> int | None:
        """The certificate asked about."""
        return None if self.der is None else ocsp.load_der_ocsp_request(self.der).serial_number

    @property
    def digest(self) -> str | None:
        """The hash of the CertID asked with: `sha1`, `sha256`."""
        if self.der is None:
            return None
        return ocsp.load_der_ocsp_request(self.der).hash_algorithm.name


@dataclass
class Call:
    """One connection and the request that came over it: what a `Mode` plays with."""

    connection: socket.socket
    request: Request
    responder: Responder
    sent: int = field(default=0)

    @property
    def about_us(self) -> bool:
        """Say whether the request is about a certificate of this authority's intermediate."""
        if self.request.der is None:
            return False
        asked = ocsp.load_der_ocsp_request(self.request.der)
        key = key_bits(self.responder.authority.intermediate.cert)
        return asked.issuer_key_hash == hashlib.new(asked.hash_algorithm.name, key).digest()

    def respond(self, **lies: Any) -> bytes:
        """Return the authority's response about the certificate asked for, with `lies` in it."""
        truth: dict[str, Any] = {
            "now": self.responder.clock(),
            "serial": self.request.serial,
            "digest": self.request.digest,
        }
        return self.responder.authority.respond(self.responder.any_leaf, **{**truth, **lies})

    def send(self, data: bytes) -> bool:
        """Send `data`; say whether anybody still listens."""
        try:
            self.connection.sendall(data)
        except OSError:
            return False
        self.sent += len(data)
        return not self.responder.stopped.is_set()

    def reply(
        self,
        body: bytes,
        *,
        status: str = "200 OK",
        version: str = "HTTP/1.1",
        kind: str | None = "application/ocsp-response",
        length: int | None = -1,
        headers: Mapping[str, str] | None = None,
    ) -> bool:
        """Send a whole reply. `length` -1 is the body's own, None leaves Content-Length out."""
        fields = dict(headers or {})
        if kind is not None:
            fields["Content-Type"] = kind
        if length is not None:
            fields["Content-Length"] = str(len(body) if length == -1 else length)
        lines = [f"{version} {status}", *(f"{name}: {value}" for name, value in fields.items())]
        return self.send("\r\n".join([*lines, "", ""]).encode("latin-1") + body)

    def wait(self, seconds: float) -> bool:
        """Wait; say whether the responder still runs."""
        return not self.responder.stopped.wait(seconds)

    def reset(self) -> None:
        """Close with RST instead of FIN."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


Mode: TypeAlias = "Callable[[Call], object]"
"""What it returns is of no interest."""


def honest(call: Call) -> bool:
    """Answer as a responder should (RFC 6960, A.2); what it does not know it is not authorized."""
    return call.reply(call.respond() if call.about_us else error(6))


def try_later(call: Call) -> bool:
    """Answer every request with tryLater (RFC 6960, 2.3)."""
    return call.reply(error(3))


def close_at_once(_: Call) -> None:
    """Hang up without a word."""


def never_answer(call: Call) -> bool:
    """Take the request and say nothing."""
    return call.wait(PATIENCE)


def error(status: int) -> bytes:
    """Return the OCSPResponse that is nothing but an error (RFC 6960, 4.2.1)."""
    return bytes((0x30, 3, 0x0A, 1, status))


def _wall_clock() -> datetime:
    return datetime.now(timezone.utc).replace(microsecond=0)


class Responder:
    """A context manager: listens inside, and `url` is what goes into certificates.

    `mode` and `delay` (seconds before each reply) may be changed while it
    runs. It knows no certificates: whatever of this authority's intermediate it
    is asked about is good, an hour old at `clock` and valid for a week more.
    `log` holds every request in the order they came, `sent` counts every
    byte that left.
    """

    def __init__(
        self,
        authority: Authority,
        *,
        mode: Mode = honest,
        delay: float = 0.0,
        host: str = "127.0.0.1",
        port: int = 0,
        path: str = "",
        clock: Callable[[], datetime] = _wall_clock,
    ) -> None:
        self.authority = authority
        self.clock = clock
        self.any_leaf = authority.leaf(["any.example"])
        self.mode = mode
        self.delay = delay
        self.log: list[Request] = []
        self.sent = 0
        self.stopped = threading.Event()
        self.path = path
        self.host = host
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.socket(family, socket.SOCK_STREAM)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind((host, port))
        self._listener.listen(128)
        self.port: int = self._listener.getsockname()[1]
        self._lock = threading.Lock()
        self._connections: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._acceptor = threading.Thread(target=self._accept, daemon=True)

    @property
    def url(self) -> str:
        """Where it answers; an IPv6 address is a literal in brackets."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}{self.path}"

    def __enter__(self) -> Responder:  # noqa: PYI034 - Self came with Python 3.11
        self._acceptor.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop listening and hang up on everyone; the port is free afterwards."""
        self.stopped.set()
        with contextlib.suppress(OSError):  # shutdown wakes accept, which close alone does not
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._acceptor.join()
        with self._lock:
            for connection in self._connections:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        while not self.stopped.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self._connections.add(connection)
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads = [old for old in self._threads if old.is_alive()]
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            connection.settimeout(PATIENCE)
            request = read_request(connection)
            if request is None:
                return
            call = Call(connection, request, self)
            with self._lock:
                self.log.append(request)
            if call.wait(self.delay):
                self.mode(call)
            with self._lock:
                self.sent += call.sent
        finally:
            with self._lock:
                self._connections.discard(connection)
                connection.close()


def read_request(connection: socket.socket) -> Request | None:
    """Read one request, or return None where the client hung up or sends nonsense."""
    received = b""
    while b"\r\n\r\n" not in received:
        more = _receive(connection)
        if not more or len(received) > MOST_REQUEST:
            return None
        received += more
    head, _, body = received.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers = {
        name.strip().lower(): value.strip()
        for name, _, value in (line.partition(":") for line in lines)
    }
    while len(body) < min(int(headers.get("content-length", "0")), MOST_REQUEST):
        more = _receive(connection)
        if not more:
            return None
        body += more
    return Request(method, target, headers, body, _ocsp_request(method, target, body))


def _receive(connection: socket.socket) -> bytes:
    try:
        return connection.recv(65536)
    except OSError:
        return b""


def _ocsp_request(method: str, target: str, body: bytes) -> bytes | None:
    """Return the OCSP request in a body, or at the end of a path (RFC 6960, A.1)."""
    if method == "POST":
        found = body
    else:
        # Only the last part: what stands before it is the responder's own path.
        try:
            found = base64.b64decode(unquote(target.rpartition("/")[2]), validate=True)
        except (binascii.Error, ValueError):
            return None
    try:
        ocsp.load_der_ocsp_request(found)
    except (ValueError, NotImplementedError):  # nonsense, or about several certificates
        return None
    return found
