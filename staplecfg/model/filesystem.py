"""Files as the server under inspection sees them.

Paths are absolute; `/` is the root of *that* machine, which may be a directory
of this one (`--root`). Three make one: the disk under a root (machine.disk),
an overlay of planned changes, and memory (both here, for they have no effects).
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Protocol

from staplecfg.model.errors import Unreadable
from staplecfg.model.source import Location

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from staplecfg.model.change import Change


class Filesystem(Protocol):
    """Reading only. Every method takes an absolute path."""

    def read(self, path: PurePosixPath) -> bytes:
        """Return the whole file `path`, links followed; raises `Unreadable` with the reason."""
        ...

    def exists(self, path: PurePosixPath) -> bool:
        """Say whether `path`, links followed, is there: file, directory or anything else."""
        ...

    def listing(self, path: PurePosixPath) -> tuple[str, ...]:
        """Return the names in directory `path`, sorted by bytes; empty where it is no directory.

        Raises `Unreadable` where it is one that may not be listed.
        """
        ...

    def resolve(self, path: PurePosixPath) -> PurePosixPath:
        """Return `path` with every link followed, within the root; a missing tail is kept."""
        ...

    def link(self, path: PurePosixPath) -> str | None:
        """Return where the symbolic link `path` itself points, or None where it is not a link."""
        ...


@dataclass(frozen=True, slots=True)
class MemoryFilesystem:
    """Files and links in memory, for tests and for overlays."""

    files: Mapping[PurePosixPath, bytes]
    links: Mapping[PurePosixPath, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls, files: Mapping[str, bytes], links: Mapping[str, str] | None = None
    ) -> MemoryFilesystem:
        """Build one from plain strings."""
        return cls(
            {PurePosixPath(path): data for path, data in files.items()},
            {PurePosixPath(path): target for path, target in (links or {}).items()},
        )

    def read(self, path: PurePosixPath) -> bytes:
        """See `Filesystem.read`."""
        real = self.resolve(path)
        if real in self.files:
            return self.files[real]
        reason = "is a directory" if self.exists(path) else "no such file"
        raise Unreadable(reason, at=Location(path))

    def exists(self, path: PurePosixPath) -> bool:
        """See `Filesystem.exists`."""
        real = self.resolve(path)
        return real in self.files or any(
            real in known.parents for known in (*self.files, *self.links)
        )

    def listing(self, path: PurePosixPath) -> tuple[str, ...]:
        """See `Filesystem.listing`."""
        real = self.resolve(path)
        depth = len(real.parts)
        names = {
            known.parts[depth] for known in (*self.files, *self.links) if real in known.parents
        }
        return _by_bytes(names)

    def resolve(self, path: PurePosixPath) -> PurePosixPath:
        """See `Filesystem.resolve`."""
        return follow(path, self.link)

    def link(self, path: PurePosixPath) -> str | None:
        """See `Filesystem.link`."""
        return self.links.get(path)


@dataclass(frozen=True, slots=True)
class Overlay:
    """`below` as it will be once changes are carried out; reads nothing else anew.

    `after` holds what is written (bytes) or gone (None), `links` what becomes a
    link, `entries` the names that come to be in each directory by it.
    """

    below: Filesystem
    after: Mapping[PurePosixPath, bytes | None]
    links: Mapping[PurePosixPath, str]
    entries: Mapping[PurePosixPath, frozenset[str]]

    @classmethod
    def of(cls, below: Filesystem, changes: Iterable[Change]) -> Overlay:
        """Lay `changes` over `below`."""
        after: dict[PurePosixPath, bytes | None] = {}
        links: dict[PurePosixPath, str] = {}
        for change in changes:
            if change.after is None:
                after[change.path] = None
            elif change.after.link is not None:
                links[change.path] = change.after.link
            else:
                after[change.path] = change.after.data
        there = [path for path, data in after.items() if data is not None]
        return cls(below, after, links, _entries([*there, *links]))

    def read(self, path: PurePosixPath) -> bytes:
        """See `Filesystem.read`."""
        real = self.resolve(path)
        if real not in self.after:
            return self.below.read(real)
        data = self.after[real]
        if data is None:
            raise Unreadable("no such file", at=Location(path))
        return data

    def exists(self, path: PurePosixPath) -> bool:
        """See `Filesystem.exists`."""
        real = self.resolve(path)
        if real in self.after:
            return self.after[real] is not None
        return real in self.entries or self.below.exists(real)

    def listing(self, path: PurePosixPath) -> tuple[str, ...]:
        """See `Filesystem.listing`."""
        real = self.resolve(path)
        below = {
            name
            for name in self.below.listing(real)
            if self.after.get(real / name, b"") is not None
        }
        return _by_bytes(below | self.entries.get(real, frozenset()))

    def resolve(self, path: PurePosixPath) -> PurePosixPath:
        """See `Filesystem.resolve`."""
        return follow(path, self.link)

    def link(self, path: PurePosixPath) -> str | None:
        """See `Filesystem.link`."""
        if path in self.links:
            return self.links[path]
        if path in self.after:
            return None
        return self.below.link(path)


def _entries(paths: Iterable[PurePosixPath]) -> Mapping[PurePosixPath, frozenset[str]]:
    """Return the names that `paths` put into each of the directories above them."""
    names: dict[PurePosixPath, set[str]] = {}
    for path in paths:
        for inner, directory in zip((path, *path.parents), path.parents, strict=False):
            names.setdefault(directory, set()).add(inner.name)
    return {directory: frozenset(inside) for directory, inside in names.items()}


def _by_bytes(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(names, key=lambda name: name.encode("utf-8", "surrogateescape")))


MOST_LINKS = 40
"""How many links one path may lead through: Linux's own limit (path_resolution(7))."""


def follow(path: PurePosixPath, link: LinkReader) -> PurePosixPath:
    """Return `path` with every link that `link` knows followed; `..` never leaves the root.

    Raises `Unreadable` after `MOST_LINKS` links, as the kernel does.
    """
    pending = list(path.parts[1:])[::-1]
    real = PurePosixPath("/")
    seen = 0
    while pending:
        part = pending.pop()
        if part == "..":
            real = real.parent
            continue
        target = link(real / part)
        if target is None:
            real /= part
            continue
        seen += 1
        if seen > MOST_LINKS:
            raise Unreadable("too many levels of symbolic links", at=Location(path))
        if posixpath.isabs(target):
            real = PurePosixPath("/")
        pending += [step for step in target.split("/") if step not in {"", "."}][::-1]
    return real


class LinkReader(Protocol):
    """Where a path's last component points, or None where it is not a link."""

    def __call__(self, path: PurePosixPath, /) -> str | None:
        """Return the link's target, unresolved."""
        ...
