"""What the system's refusals mean to a person: the words and the way out, in one place."""

from __future__ import annotations

import errno
import os
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from staplecfg.model.errors import NotApplied, Unreadable
from staplecfg.model.source import Location

if TYPE_CHECKING:
    from pathlib import Path

_HINTS = {
    errno.EACCES: "run as root",
    errno.EPERM: "run as root; as root, look for an immutable flag with `lsattr -d` on the file "
    "and its directory (`chattr -i` takes it away)",
    errno.EROFS: "the file system is mounted read-only; mount it writable, or change this file "
    "where its image is made",
    errno.ENOSPC: "make room on the file system that holds it (`df -h`, `df -i`)",
    errno.EDQUOT: "the disk quota is used up; make room or raise it",
    errno.EFBIG: "a limit on file sizes is in force (`ulimit -f`)",
    errno.EIO: "the disk reports errors; look at the kernel's log (`dmesg`)",
    errno.EBUSY: "it is a mount point of its own, as container runtimes make for single files; "
    "mount the directory that holds it instead",
    errno.EXDEV: "another file system is mounted in between; mount the whole directory as one",
    errno.ENAMETOOLONG: "shorten the path",
    errno.ELOOP: "symbolic links lead in a circle, or one stands where a file is expected",
}


def words(error: OSError) -> str:
    """Return the system's own words for `error`, in our spelling."""
    said = os.strerror(error.errno) if error.errno is not None else str(error)
    return said[:1].lower() + said[1:]


def hint(error: OSError) -> str | None:
    """Return what a person can do about `error`, or None where nothing general can be said."""
    return _HINTS.get(error.errno or 0)


def not_applied(error: OSError, path: Path, attempt: str) -> NotApplied:
    """Return the `NotApplied` that says `attempt` (`cannot be written`) at `path` met `error`."""
    return NotApplied(f"{attempt}: {words(error)}", at=place(path), hint=hint(error))


def unreadable(error: OSError, path: PurePosixPath) -> Unreadable:
    """Return the `Unreadable` that says why `path` cannot be read."""
    said = "no such file" if error.errno == errno.ENOENT else words(error)
    advice = "run as root" if error.errno in {errno.EACCES, errno.EPERM} else None
    return Unreadable(said, at=Location(path), hint=advice)


def place(path: Path) -> Location:
    """Return `path` as a place of the model."""
    return Location(PurePosixPath(path))
