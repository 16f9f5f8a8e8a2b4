"""The real `openssl ocsp` as a responder on loopback, which can be slow, busy, or gone for a while.

    with OpensslResponder(authority, directory, delay=0.2) as responder:
        shop = authority.leaf(["shop.example"], responders=[responder.url])
        responder.start([shop])
        responder.down()
        responder.up()

Every answer is `openssl ocsp`'s own. Its `-port` is not used: it can only
listen on all of the machine's addresses, and one client that connects and says
nothing keeps it from serving anybody else.
"""

from __future__ import annotations

import base64
import contextlib
import itertools
import select
import socket
import subprocess
import threading
import time
from typing import TYPE_CHECKING, final
from urllib.parse import unquote_to_bytes

from staplecfg.pki import der
from tests.support.authority import pem
from tests.support.nginx import free_port

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from types import TracebackType

    from tests.support.authority import Authority, Issued

PATIENCE = 30.0
"""Seconds after which a client that says nothing is given up."""


@final
class OpensslResponder:
    """`openssl ocsp -index ...` for certificates of the authority's intermediate.

    `delay` (seconds) comes before each answer; answers are good for `minutes`.
    `delegated` answers are signed by a certificate for that purpose.
    """

    def __init__(
        self,
        authority: Authority,
        directory: Path,
        *,
        delay: float = 0.0,
        minutes: int = 7 * 24 * 60,
        delegated: bool = False,
    ) -> None:
        self.delay = delay
        self.minutes = minutes
        self.asked = 0
        """How many connections were made to it so far."""
        self.until: threading.Event | None = None
        """What each answer waits for, besides its `delay`."""
        self.busy = False
        """Whether it answers with HTTP's 503 instead."""
        self.hangs = False
        """Whether it takes requests and says nothing, as long as this is so or the client waits."""
        self.first_only = False
        """Whether of several certificates in one request only the first is answered for."""
        self._directory = directory
        self._authority = authority
        self._delegated = delegated
        self._port = free_port()
        self._listening: socket.socket | None = None

    @property
    def url(self) -> str:
        """What belongs into the certificates' AIA."""
        return f"http://127.0.0.1:{self._port}/"

    def start(self, issued: Iterable[Issued], revoked: Iterable[Issued] = ()) -> None:
        """Answer for these certificates: `issued` are good, `revoked` are not, others unknown."""
        self._directory.mkdir(parents=True, exist_ok=True)
        lines = [_index_line(each, gone=False) for each in issued]
        lines += [_index_line(each, gone=True) for each in revoked]
        (self._directory / "index.txt").write_text("".join(lines), encoding="ascii")
        (self._directory / "index.txt.attr").write_text("unique_subject = no\n", encoding="ascii")
        (self._directory / "ca.pem").write_bytes(pem(self._authority.intermediate.cert))
        signer = self._authority.delegate() if self._delegated else self._authority.intermediate
        signer.write(self._directory, "signer")
        self.up()

    def up(self) -> None:
        """Accept connections."""
        if self._listening is None:
            self._listening = socket.create_server(("127.0.0.1", self._port), backlog=128)
            threading.Thread(target=self._accept, args=(self._listening,), daemon=True).start()

    def down(self) -> None:
        """Refuse connections, as a machine does on which nothing listens."""
        listening, self._listening = self._listening, None
        if listening is not None:
            # Closing alone would not wake the thread that waits in accept.
            with contextlib.suppress(OSError):
                listening.shutdown(socket.SHUT_RDWR)
            listening.close()

    def __enter__(self) -> OpensslResponder:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.down()

    def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                client, _ = listening.accept()
            except OSError:
                return
            self.asked += 1
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError, ValueError):
            client.settimeout(PATIENCE)
            question = _question(client)
            if self.hangs:
                self._hang(client)
                return
            if self.busy:
                client.sendall(b"HTTP/1.0 503 Service Unavailable\r\nConnection: close\r\n\r\n")
                return
            if self.first_only:
                question = _about_first(question)
            time.sleep(self.delay)
            if self.until is not None:
                self.until.wait(PATIENCE)
            answer = self._answer(question)
            client.sendall(
                b"HTTP/1.0 200 OK\r\nContent-Type: application/ocsp-response\r\n"
                b"Content-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(answer), answer)
            )

    def _hang(self, client: socket.socket) -> None:
        while self.hangs and not select.select([client], [], [], 0.1)[0]:
            pass

    def _answer(self, question: bytes) -> bytes:
        files = {"-index": "index.txt", "-CA": "ca.pem"}
        files |= {"-rsigner": "signer.pem", "-rkey": "signer.key"}
        paths = ((option, str(self._directory / name)) for option, name in files.items())
        # An authority that signs for itself embeds no certificate, one that delegates must.
        embedded = [] if self._delegated else ["-resp_no_certs"]
        return subprocess.run(
            [
                *("openssl", "ocsp", "-nmin", str(self.minutes), "-reqin", "-", "-respout", "-"),
                *itertools.chain.from_iterable(paths),
                *embedded,
            ],
            input=question,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            check=False,
            timeout=PATIENCE,
        ).stdout


def _question(client: socket.socket) -> bytes:
    """Return the OCSP request a client sends by GET or POST (RFC 6960, A.1)."""
    with client.makefile("rb") as stream:
        method, _, target = stream.readline(65536).partition(b" ")
        headers = iter(lambda: stream.readline(65536).strip(), b"")
        pairs = (header.partition(b":") for header in headers)
        values = {name.lower(): value.strip() for name, _, value in pairs}
        if method == b"POST":
            return stream.read(int(values.get(b"content-length", b"0")))
    encoded = unquote_to_bytes(target.partition(b" ")[0].lstrip(b"/"))
    return base64.b64decode(encoded)


def _about_first(question: bytes) -> bytes:
    """Return the request with its first question alone."""
    tbs = der.Fields(der.read(question, der.SEQUENCE)).take(der.SEQUENCE)
    first, *_ = der.children(der.Fields(tbs).take(der.SEQUENCE))
    return der.sequence(der.sequence(der.sequence(first.whole)))


def _index_line(issued: Issued, *, gone: bool) -> str:
    """Return the certificate's line in the database of `openssl ca`, which `openssl ocsp` reads."""
    expires = issued.cert.not_valid_after_utc.strftime("%y%m%d%H%M%SZ")
    revoked = "260101000000Z,keyCompromise" if gone else ""
    serial = f"{issued.cert.serial_number:X}"
    serial = serial.zfill(len(serial) + len(serial) % 2)
    fields = ["R" if gone else "V", expires, revoked, serial, "unknown", f"/CN={serial}"]
    return "\t".join(fields) + "\n"
