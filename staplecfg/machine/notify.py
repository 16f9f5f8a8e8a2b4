"""What a service says to systemd: plain datagrams, as sd_notify(3) lays down."""

from __future__ import annotations

import contextlib
import os
import socket


def notify(*assignments: str) -> None:
    """Tell the service manager `assignments` (`READY=1`); nothing where there is none.

    Never blocks and never raises: a manager that does not listen must not stop
    the service.
    """
    path = os.environ.get("NOTIFY_SOCKET", "")
    if path[:1] not in {"/", "@"}:
        return
    address = f"\0{path[1:]}" if path.startswith("@") else path
    kind = socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, kind) as manager:
        manager.sendto("\n".join(assignments).encode(), address)


def watchdog_seconds() -> float | None:
    """Return how often at least `WATCHDOG=1` is awaited from this process; None: not at all."""
    text, pid = os.environ.get("WATCHDOG_USEC", ""), os.environ.get("WATCHDOG_PID", "")
    if not text.isdigit() or (pid and pid != str(os.getpid())):
        return None
    return int(text) / 1_000_000 or None
