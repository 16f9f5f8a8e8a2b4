"""Which sockets a process holds, and which of them listen (proc(5))."""

from __future__ import annotations

from pathlib import Path

_PROC = Path("/proc")
_LISTEN = "0A"
"""TCP_LISTEN (include/net/tcp_states.h)."""
_TABLES = ("tcp", "tcp6")
_STATE, _INODE = 3, 9
"""The places of these fields in a line of the tables."""


def sockets(pid: int) -> frozenset[str] | None:
    """Return the sockets that process `pid` holds, as `socket:[INODE]`; None where none may see.

    A process that is gone holds none.
    """
    held = set()
    try:
        for descriptor in (_PROC / str(pid) / "fd").iterdir():
            try:
                target = str(descriptor.readlink())
            except FileNotFoundError:  # closed since it was listed
                continue
            if target.startswith("socket:"):
                held.add(target)
    except (FileNotFoundError, ProcessLookupError):
        return frozenset()
    except OSError:
        return None
    return frozenset(held)


def listening(pid: int) -> frozenset[str] | None:
    """Return those of the sockets of `pid` that listen for TCP; None where none may see."""
    held = sockets(pid)
    if not held:
        return held
    return held & {f"socket:[{inode}]" for table in _TABLES for inode in _listed(pid, table)}


def _listed(pid: int, table: str) -> list[str]:
    """Return the inodes that listen in `table` of the network that `pid` lives in.

    Linux lists them before all others, of which there may be a hundred thousand.
    """
    found: list[str] = []
    try:
        with (_PROC / str(pid) / "net" / table).open(encoding="ascii") as lines:
            next(lines, None)
            for line in lines:
                fields = line.split()
                if fields[_STATE] != _LISTEN:
                    break
                found.append(fields[_INODE])
    except (FileNotFoundError, ProcessLookupError):
        pass
    return found
