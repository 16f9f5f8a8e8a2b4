"""Bytes and names that are on the disk when the call returns: what `replace` is made of."""

# ruff: noqa: PTH108, PTH212  # the kill test counts os.*

from __future__ import annotations

import contextlib
import errno
import os
from typing import TYPE_CHECKING

from staplecfg.machine.attributes import give
from staplecfg.machine.refusal import not_applied, place
from staplecfg.model.errors import NotApplied

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from staplecfg.machine.attributes import Attributes

_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NO_HARD_LINKS = {errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK}
_PRIVATE = 0o600
"""The mode of what is not yet in its place: it may be a private file's content."""


def create(path: Path, data: bytes, wanted: Attributes | None = None, *, at: Path) -> None:
    """Make the new file `path` of `data`, whole and on the disk; mode 0600 without `wanted`.

    It is read back before anything can take its place: a disk that lies must
    not get at the file in use. Raises `OSError` or `NotApplied`; `at` is the
    path people know it by.
    """
    descriptor = os.open(path, _CREATE, _PRIVATE)
    try:
        _write_all(descriptor, data)
        if wanted is not None:
            give(descriptor, wanted, at)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    if read_back(path, most=len(data)) != data:
        raise NotApplied(
            "reads back differently from what was written",
            at=place(at),
            hint="the disk reports errors; look at the kernel's log (`dmesg`)",
        )


def read_back(path: Path, *, most: int) -> bytes:
    """Return what the file `path` holds, links not followed: no more than `most` bytes and one."""
    descriptor = os.open(path, _READ)
    try:
        pieces: list[bytes] = []
        left = most + 1
        while left and (piece := os.read(descriptor, left)):
            pieces.append(piece)
            left -= len(piece)
        return b"".join(pieces)
    finally:
        os.close(descriptor)


def sync_directory(directory: Path) -> None:
    """Put the names in `directory` on the disk: a rename outlives a power cut only then."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:  # network and FUSE file systems that know no such thing
            raise
    finally:
        os.close(descriptor)


def keep(path: Path, aside: Path) -> None:
    """Give what is at `path` the second name `aside`, where the file system has hard links.

    To rename it back takes no room on the disk, when there may be none left.
    Links are not followed. Raises `OSError`.
    """
    try:
        os.link(path, aside, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _NO_HARD_LINKS:
            raise


def status_of(path: Path) -> os.stat_result | None:
    """Return the status of `path` itself, links not followed; None where nothing is there."""
    try:
        return path.lstat()
    except FileNotFoundError:
        return None


@contextlib.contextmanager
def refusing(path: Path, attempt: str) -> Iterator[None]:
    """Raise the system's refusals as `NotApplied`: `attempt` at `path`, why, and what to do."""
    try:
        yield
    except OSError as error:
        raise not_applied(error, path, attempt) from error


@contextlib.contextmanager
def unlinked_on_failure(*names: Path | None) -> Iterator[None]:
    """Take `names` away again if anything goes wrong, unless one was somebody else's before."""
    try:
        yield
    except FileExistsError:
        raise
    except BaseException:
        for name in filter(None, names):
            with contextlib.suppress(OSError):
                os.unlink(name)
        raise


def _write_all(descriptor: int, data: bytes) -> None:
    """Write all of `data`: a single call may write less, and says so only by its result."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
