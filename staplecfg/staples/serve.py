"""The local responder: listens, answers from the store, and never asks anybody itself."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import ipaddress
import os
import resource
from dataclasses import replace
from typing import TYPE_CHECKING

from staplecfg.model.errors import NotApplied, UsageProblem
from staplecfg.staples.answer import answer
from staplecfg.staples.visitor import SECONDS, Visitor

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from staplecfg.model.settings import Endpoint
    from staplecfg.staples.shelf import Shelf

MOST_OPEN = 4096
"""Connections at a time; each may hold some 16 KiB."""
BACKLOG = 512
SPARE = 64
"""Descriptors for everything that is no connection."""
FAREWELL = 2.0
"""Seconds for those who are being answered when it is to stop."""

_HINTS = {
    errno.EADDRINUSE: "another program has this port (`ss -ltnp`); choose another by"
    " `serve.listen`, and run staplecfg apply so that the server is told",
    errno.EACCES: "ports below 1024 need root, or CAP_NET_BIND_SERVICE, which the unit has",
    errno.EADDRNOTAVAIL: "no interface of this machine has that address",
}


def require_loopback(listen: Endpoint) -> None:
    """Raise `UsageProblem` where `listen` can be reached from other machines."""
    if not ipaddress.ip_address(listen.host).is_loopback:
        raise UsageProblem(
            f"{listen} can be reached by other machines",
            hint="listen on 127.0.0.1 or ::1; or say --allow-remote if that is meant",
        )


async def serve(
    shelf: Shelf,
    listen: Endpoint,
    *,
    clock: Callable[[], datetime],
    stop: asyncio.Event,
    ready: Callable[[Endpoint], None],
    seconds: float = SECONDS,
) -> None:
    """Answer at `listen` from `shelf` until `stop` is set; `ready` hears the address in use.

    A connection lives for `seconds` at most. Raises `NotApplied` where it
    cannot listen.
    """
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(_passed_over)
    room = _Room(_places())

    def visitor() -> Visitor:
        return Visitor(
            lambda request: answer(request, shelf, clock()),
            entered=room.enter,
            left=room.leave,
            seconds=seconds,
        )

    try:
        server = await loop.create_server(
            visitor, listen.host, listen.port, backlog=BACKLOG, reuse_address=True
        )
    except OSError as error:
        said = os.strerror(error.errno or 0).lower()
        raise NotApplied(
            f"cannot listen on {listen}: {said}", hint=_HINTS.get(error.errno or 0)
        ) from None
    try:
        ready(replace(listen, port=server.sockets[0].getsockname()[1]))
        await stop.wait()
    finally:
        server.close()
        await room.empty(FAREWELL)


class _Room:
    """Who is here. When it is full, who has been here longest goes.

    Whoever asks is answered at once and leaves, so that is never a client in
    earnest: a crowd that only stands about cannot keep anybody out.
    """

    def __init__(self, places: int) -> None:
        self._places = places
        self._here: dict[Visitor, None] = {}
        self._nobody = asyncio.Event()

    def enter(self, visitor: Visitor) -> None:
        while len(self._here) >= self._places:
            oldest = next(iter(self._here))
            del self._here[oldest]
            oldest.throw_out()
        self._here[visitor] = None

    def leave(self, visitor: Visitor) -> None:
        self._here.pop(visitor, None)
        if not self._here:
            self._nobody.set()

    async def empty(self, patience: float) -> None:
        """Return when everybody has gone; after `patience` seconds they are thrown out."""
        self._nobody.clear()
        if self._here:
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._nobody.wait(), patience)
        for visitor in tuple(self._here):
            visitor.throw_out()
        await asyncio.sleep(0)


def _places() -> int:
    """Return how many connections the limit on open files has room for, once it is raised."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_OPEN + BACKLOG + SPARE
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(OSError, ValueError):  # a sandbox may forbid it; then fewer
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    room = MOST_OPEN if soft == resource.RLIM_INFINITY else soft - BACKLOG - SPARE
    return max(SPARE, min(MOST_OPEN, room))


def _passed_over(loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
    """Let a connection that broke be nobody's news; anything else is a bug, or a limit."""
    if not isinstance(context.get("exception"), ConnectionError):
        loop.default_exception_handler(context)
