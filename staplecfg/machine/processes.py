"""Processes as /proc shows them: names, parents, and the unit that owns them (proc(5))."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_PROC = Path("/proc")
_STAT = re.compile(rb"\d+ \((?P<name>.*)\) (?P<state>\S) (?P<parent>\d+)", re.DOTALL)
_DEAD = {b"Z", b"X"}
_DELETED = " (deleted)"


@dataclass(frozen=True, slots=True)
class Process:
    """A process that is alive; `title` is its command line, which servers write over."""

    pid: int
    parent: int
    name: str
    title: str
    executable: str
    """The base name of its program, empty where that may not be seen."""

    @property
    def names(self) -> frozenset[str]:
        """What it may be called: its command name (15 bytes at most), its program, its title."""
        return frozenset({self.name, self.executable, self.title.partition(":")[0]} - {""})

    @property
    def is_master(self) -> bool:
        """Say whether it calls itself a master process, as nginx and its kin do."""
        return ": master process" in self.title

    @property
    def titled(self) -> bool:
        """Say whether it tells in its title what it is, as nginx's processes do."""
        return " process" in self.title

    @property
    def accepts(self) -> bool:
        """Say whether by its title it is a worker that accepts connections.

        nginx titles tell workers from cache managers, from workers that are
        shutting down and from a child too young to have a title of its own.
        """
        return ": worker process" in self.title and "shutting down" not in self.title


def process(pid: int) -> Process | None:
    """Return the process `pid`, or None where none lives by that number."""
    directory = _PROC / str(pid)
    try:
        status = _STAT.match((directory / "stat").read_bytes())
        title = (directory / "cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return None
    if status is None or status["state"] in _DEAD:
        return None
    return Process(
        pid,
        int(status["parent"]),
        status["name"].decode("utf-8", "surrogateescape"),
        title.replace(b"\0", b" ").strip().decode("utf-8", "surrogateescape"),
        _executable(directory),
    )


def arguments(pid: int) -> tuple[str, ...]:
    """Return the command line of `pid` as it stands now; empty where it is gone or hidden."""
    try:
        said = (_PROC / str(pid) / "cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return ()
    return tuple(said.decode("utf-8", "surrogateescape").removesuffix("\0").split("\0"))


def children(parent: int) -> Iterator[Process]:
    """Yield the living children of process `parent`.

    All processes are looked at: the kernel's list of children may leave some
    out while others end (proc(5), /proc/PID/task/TID/children).
    """
    for directory in _PROC.iterdir():
        if directory.name.isdecimal() and _parent(directory) == parent:
            child = process(int(directory.name))
            if child is not None and child.parent == parent:
                yield child


def cgroups(pid: int) -> str:
    """Return what /proc says of the control groups of `pid`; empty where it is gone."""
    try:
        return (_PROC / str(pid) / "cgroup").read_text("utf-8", "surrogateescape")
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return ""


def unit_in(cgroup: str) -> str | None:
    """Return the system service that the text of a /proc/PID/cgroup places its process in.

    Both layouts are read (cgroups(7)): `0::PATH`, and `N:name=systemd:PATH`.
    The service must be the last component, in slices only: what lies deeper is
    a container's or a user's, though a service runs the container engine.
    """
    for line in cgroup.splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controllers not in {"", "name=systemd"}:
            continue
        *slices, last = PurePosixPath(path).parts[1:] or ("",)
        if (
            last.endswith(".service")
            and slices
            and slices[0] != "user.slice"
            and all(part.endswith(".slice") for part in slices)
        ):
            return last
    return None


def _parent(directory: Path) -> int | None:
    try:
        status = _STAT.match((directory / "stat").read_bytes())
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return None
    return None if status is None else int(status["parent"])


def _executable(directory: Path) -> str:
    try:
        return (directory / "exe").readlink().name.removesuffix(_DELETED)
    except OSError:
        return ""
