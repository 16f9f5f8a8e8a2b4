"""Whether what listens on loopback here listens there, too (network_namespaces(7))."""

from __future__ import annotations

from pathlib import Path

_PROC = Path("/proc")


def another_network(pid: int) -> bool:
    """Say whether process `pid` is known to live in another network than this one.

    A container that shares its processes shares no network by that. Where nobody
    may see, or the process is gone, it is not known.
    """
    try:
        return (_PROC / str(pid) / "ns/net").readlink() != (_PROC / "self/ns/net").readlink()
    except OSError:
        return False
