"""The local responder in a thread, and clients that say whatever they like.

with Serving(Store(directory, floors=Floors())) as serving:
    assert serving.say(b"GET / HTTP/1.0\\r\\n\\r\\n").status == 200
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from staplecfg.model.settings import Endpoint, Floors
from staplecfg.staples.serve import serve
from staplecfg.staples.shelf import Shelf

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from staplecfg.staples.store import Store

PATIENCE = 60.0


def wall_clock() -> datetime:
    return datetime.now(timezone.utc)


@dataclass(frozen=True)
class Reply:
    """What came back until the responder hung up; `status` 0: no HTTP at all."""

    raw: bytes

    @property
    def head(self) -> bytes:
        return self.raw.partition(b"\r\n\r\n")[0]

    @property
    def body(self) -> bytes:
        return self.raw.partition(b"\r\n\r\n")[2]

    @property
    def status(self) -> int:
        words = self.head.split()
        return int(words[1]) if len(words) > 1 and words[1].isdigit() else 0

    @property
    def headers(self) -> dict[str, str]:
        lines = self.head.decode("latin-1").split("\r\n")[1:]
        return {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in lines)
        }


class Serving:
    """A responder that answers from `store`; connections live for `seconds` at most."""

    def __init__(
        self,
        store: Store,
        *,
        clock: Callable[[], datetime] = wall_clock,
        seconds: float = PATIENCE,
    ) -> None:
        self._shelf = Shelf(store, floors=Floors(), ticks=_never_waiting())
        self._clock = clock
        self._seconds = seconds
        self._up = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Serving:  # noqa: PYI034 - Self came with Python 3.11
        self._thread.start()
        assert self._up.wait(PATIENCE)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop it as a signal would, and wait for its end."""
        with contextlib.suppress(RuntimeError):  # it has ended already
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()

    def connect(self, *, timeout: float = PATIENCE) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout)

    def say(self, *pieces: bytes) -> Reply:
        """Send `pieces` one after the other, and return all that comes back until the end."""
        with self.connect() as client:
            for piece in pieces:
                with contextlib.suppress(OSError):  # it has heard enough; the answer says why
                    client.sendall(piece)
            return Reply(received(client))

    def get(self, target: bytes, version: bytes = b"1.0") -> Reply:
        return self.say(b"GET " + target + b" HTTP/" + version + b"\r\nHost: x\r\n\r\n")

    def post(self, body: bytes, version: bytes = b"1.1", more: bytes = b"") -> Reply:
        length = str(len(body)).encode()
        head = b"POST / HTTP/" + version + b"\r\nHost: x\r\nContent-Length: " + length + b"\r\n"
        kind = b"Content-Type: application/ocsp-request\r\n"
        return self.say(head + kind + more + b"\r\n" + body)

    def _run(self) -> None:
        asyncio.run(self._served())

    async def _served(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()

        def ready(at: Endpoint) -> None:
            self.port = at.port
            self._up.set()

        await serve(
            self._shelf,
            Endpoint("127.0.0.1", 0),
            clock=self._clock,
            stop=self._stop,
            ready=ready,
            seconds=self._seconds,
        )


def received(client: socket.socket) -> bytes:
    """Return all that comes until the end, or until nothing comes any more."""
    found = b""
    with contextlib.suppress(OSError):
        while more := client.recv(65536):
            found += more
    return found


def _never_waiting() -> Callable[[], float]:
    """Return a count of seconds in which no two looks are close together."""
    seconds = 0.0

    def tick() -> float:
        nonlocal seconds
        seconds += 10.0
        return seconds

    return tick
