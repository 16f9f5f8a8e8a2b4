"""What /proc tells of a laboratory's Apache: who lives, whose child it is, who listens."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

LISTEN = "0A"
"""TCP_LISTEN, as /proc/net/tcp has it (proc(5))."""


def every() -> Iterator[int]:
    """Yield the ids of all processes."""
    return (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())


def stat(pid: int) -> list[int]:
    """Return `[pid, parent, group, session]`; nothing where it is gone, or waits to be reaped."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return []
    state, parent, group, session = stat.rpartition(")")[2].split()[:4]
    return [] if state in "ZX" else [pid, int(parent), int(group), int(session)]


def alive(pid: int) -> bool:
    """Say whether process `pid` lives."""
    return bool(stat(pid))


def in_session(leader: int) -> Iterator[int]:
    """Yield the processes of the session of `leader`."""
    return (pid for pid in every() if stat(pid)[3:4] == [leader])


def command_line(pid: int) -> str:
    """Return the command line of `pid`; empty where it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def listens(pid: int) -> bool:
    """Say whether process `pid` holds a TCP socket that listens."""
    listening = set()
    with contextlib.suppress(OSError):
        for table in ("tcp", "tcp6"):
            for line in Path(f"/proc/{pid}/net/{table}").read_text("ascii").splitlines()[1:]:
                fields = line.split()
                if fields[3] == LISTEN:
                    listening.add(f"socket:[{fields[9]}]")
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                if str(descriptor.readlink()) in listening:
                    return True
    return False
