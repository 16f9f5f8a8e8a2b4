"""Loopback ports that nobody else is given between asking for one and listening at it.

Several runs of these tests share a machine, and a port of the kernel's choice is
anybody's again as soon as the probing socket is closed. So each process has a
block of its own, below the ports that Linux gives out by itself (32768 and
above: ip(7), ip_local_port_range).
"""

from __future__ import annotations

import atexit
import itertools
import socket
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

BLOCK = 512
BLOCKS = range(10240, 32768, BLOCK)


def free() -> int:
    """Return the next port of this process's block at which nobody listens."""
    return next(port for port in itertools.islice(_ours(), BLOCK) if _is_free(port))


@cache
def _ours() -> Iterator[int]:
    """Return the ports of the first block that no other process has, over and over."""
    for first in BLOCKS:
        # An abstract name: the kernel lets one process have it, and takes it back at its end.
        guard = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            guard.bind(f"\0staplecfg-tests-ports-{first}")
        except OSError:
            guard.close()
        else:
            atexit.register(guard.close)
            return itertools.cycle(range(first, first + BLOCK))
    raise AssertionError(f"{len(BLOCKS)} other processes of these tests are running")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
