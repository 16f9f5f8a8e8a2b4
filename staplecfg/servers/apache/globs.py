"""Which files an `Include` names: ap_process_fnmatch_configs(), over any Filesystem."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from staplecfg.model.errors import Unreadable
from staplecfg.servers.apache.fnmatch import is_pattern, matches

if TYPE_CHECKING:
    from staplecfg.model.filesystem import Filesystem

DEEPEST = 20
"""AP_MAX_INCLUDE_DIR_DEPTH: how far an `Include` of a directory goes down."""


@dataclass(frozen=True, slots=True)
class Named:
    """What an `Include` names, in the order httpd reads it.

    `linked` are links to directories on the way: what stands behind them is
    read too. `problem` is where httpd stops with an error, None where it does
    not; what comes before it has been read then.
    """

    paths: tuple[PurePosixPath, ...]
    linked: tuple[PurePosixPath, ...] = ()
    problem: str | None = None


def absolute(server_root: PurePosixPath, text: str) -> str:
    """Return `text` as ap_server_root_relative() does: `..` is taken out of the text alone.

    A slash at the end stays: with it, only a directory will do.
    """
    joined = posixpath.normpath(posixpath.join(server_root, text or "."))
    slash = "/" if text.endswith("/") and joined != "/" else ""
    return "/" + joined.lstrip("/") + slash


def expand(files: Filesystem, pattern: str, *, optional: bool) -> Named:
    """Return what absolute `pattern` names; `optional` as for `IncludeOptional`.

    Names are sorted by bytes in each directory, not over the whole pattern.
    Where `optional`, missing directories, missing files and patterns without a
    match are no problem. Raises `Unreadable` where a directory may not be listed.
    """
    walk = _Walk(files, optional=optional)
    try:
        if is_pattern(pattern):
            walk.match(PurePosixPath("/"), pattern.lstrip("/"))
        else:
            walk.enter(PurePosixPath(pattern), 0, slash=pattern.endswith("/"))
    except _Stop as stop:
        return Named(tuple(walk.found), tuple(walk.linked), stop.problem)
    return Named(tuple(walk.found), tuple(walk.linked))


def reads(pattern: str, path: PurePosixPath, files: Filesystem) -> bool:
    """Say whether an `Include` of absolute `pattern` would read `path` (resolved), were it there.

    A directory is read with all that is below it, dot files too; wildcards
    leave dot files out. `files` tells where links among the directories of
    `pattern` lead.
    """
    parts = [part for part in pattern.split("/") if part]
    fixed = next((at for at, part in enumerate(parts) if is_pattern(part)), len(parts))
    real = files.resolve(PurePosixPath("/", *parts[:fixed]))
    if path != real and real not in path.parents:
        return False
    below = path.parts[len(real.parts) :]
    wanted = parts[fixed:]
    return len(below) >= len(wanted) and all(map(matches, wanted, below))


class _Stop(Exception):
    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


@dataclass(slots=True)
class _Walk:
    """A walk over the directories a pattern leads through."""

    files: Filesystem
    optional: bool
    found: list[PurePosixPath] = field(default_factory=list)
    linked: list[PurePosixPath] = field(default_factory=list)

    def match(self, directory: PurePosixPath, pattern: str) -> None:
        """Follow `pattern`, relative to `directory`, component by component."""
        part, slash, rest = pattern.partition("/")
        if not is_pattern(part):
            if slash and rest:
                self.match(directory / part, rest)
            else:
                self.enter(directory / part, 0, slash=bool(slash))
            return
        names = [name for name in self.files.listing(directory) if matches(part, name)]
        if slash:
            # httpd asks readdir(3), which does not follow links: a linked
            # directory does not match in the middle of a path.
            names = [name for name in names if self._is_real_directory(directory / name)]
        if not names and not self.optional:
            raise _Stop(f"nothing in {directory} matches {part}")
        for name in names:
            if slash and rest:
                self.match(directory / name, rest)
            else:
                self.enter(directory / name, 0, slash=bool(slash))

    def enter(self, path: PurePosixPath, depth: int, *, slash: bool = False) -> None:
        """Take the file `path`, or all that is in the directory `path` and below.

        `slash` says that only a directory will do. An empty one is taken like
        a file: who reads it finds out.
        """
        names = self.files.listing(path)
        if not names and not (slash and self._is_directory(path)):
            self._take(path, slash=slash)
            return
        if depth == DEEPEST:
            raise _Stop(f"more than {DEEPEST} directories lie inside one another at {path}")
        if self.files.link(path) is not None:
            self.linked.append(path)
        for name in names:
            self.enter(path / name, depth + 1)

    def _take(self, path: PurePosixPath, *, slash: bool) -> None:
        there = self.files.exists(path)
        if there and slash and not self.optional:
            raise _Stop(f"{path} is no directory")
        if (there and not slash) or not self.optional:
            self.found.append(path)

    def _is_real_directory(self, path: PurePosixPath) -> bool:
        return self.files.link(path) is None and self._is_directory(path)

    def _is_directory(self, path: PurePosixPath) -> bool:
        if self.files.listing(path):
            return True
        if not self.files.exists(path):
            return False
        # Empty, it is told from a file by reading alone.
        try:
            self.files.read(path)
        except Unreadable as error:
            return error.problem == "is a directory"
        return False
