"""What a file carries besides its bytes: owner, group, mode, extended attributes.

SELinux labels and POSIX ACLs are extended attributes to the kernel; a server
that lost its label can no longer be read from, and `ls -l` looks the same.
"""

from __future__ import annotations

import errno
import os
import stat
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from staplecfg.machine.refusal import place, words
from staplecfg.model.errors import NotApplied

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from staplecfg.machine.owners import Owner

LABEL = "security.selinux"
DEFAULT_MODE = 0o644
_ACL = "system.posix_acl_access"
_DEFAULT_ACL = "system.posix_acl_default"
_TIED_TO_THE_BYTES = {"security.ima", "security.evm"}
"""Digests and signatures of the content, which the kernel makes anew."""
_UNSUPPORTED = {errno.ENOTSUP, errno.ENODATA, errno.ENOSYS}


@dataclass(frozen=True, slots=True)
class Attributes:
    """The attributes of one file; `mode` is its permission bits."""

    mode: int
    owner: int
    group: int
    extended: Mapping[str, bytes]


def attributes_of(path: Path) -> Attributes:
    """Return the attributes of `path`, links not followed; raises `OSError`."""
    status = path.lstat()
    extended = {} if stat.S_ISLNK(status.st_mode) else _extended(path)
    return Attributes(stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid, extended)


def attributes_in(directory: Path, born: Path) -> Attributes:
    """Return what a new file in `directory` gets that comes into being in directory `born`.

    What the kernel gives it at birth is `born`'s: the group of a setgid
    directory, the default ACL, and the label. A label is only given where the
    directories differ: the policy may have chosen a finer one.
    """
    status = directory.stat()
    above = _extended(directory)
    extended = {}
    if _DEFAULT_ACL in above:
        extended[_ACL] = above[_DEFAULT_ACL]  # chmod then takes away what the mode does not allow
    if LABEL in above and born != directory:
        extended[LABEL] = above[LABEL]
    group = status.st_gid if status.st_mode & stat.S_ISGID else os.getegid()
    return Attributes(DEFAULT_MODE, os.geteuid(), group, extended)


def with_mode(attributes: Attributes, mode: int | None) -> Attributes:
    """Return `attributes` with `mode`, or as they are for None."""
    return attributes if mode is None else replace(attributes, mode=stat.S_IMODE(mode))


def with_owner(attributes: Attributes, owner: Owner | None) -> Attributes:
    """Return `attributes` with `owner`, or as they are for None."""
    if owner is None:
        return attributes
    return replace(attributes, owner=owner.user, group=owner.group)


def give(descriptor: int, wanted: Attributes, path: Path) -> None:
    """Give the open file `descriptor` the attributes `wanted`; `path` is for messages.

    Raises `NotApplied` where one cannot be kept: a file that silently changes
    hands is worse than one that is not changed. The mode comes last, for a new
    owner takes set-id bits away, and an ACL is written into the mode.
    """
    status = os.fstat(descriptor)
    if (status.st_uid, status.st_gid) != (wanted.owner, wanted.group):
        try:
            os.fchown(descriptor, wanted.owner, wanted.group)
        except OSError as error:
            owner = f"its owner (user {wanted.owner}, group {wanted.group})"
            raise _lost(path, owner, error) from error
    _give_extended(descriptor, wanted.extended, path)
    os.fchmod(descriptor, wanted.mode)


def _give_extended(descriptor: int, wanted: Mapping[str, bytes], path: Path) -> None:
    """Make the extended attributes of `descriptor` those `wanted`, touching what differs."""
    present = _extended(descriptor)
    for name in present.keys() - wanted.keys() - {LABEL}:
        os.removexattr(descriptor, name)  # a directory's default ACL gets into new files
    for name, value in wanted.items():
        if present.get(name) == value:
            continue
        try:
            os.setxattr(descriptor, name, value)
        except OSError as error:
            raise _lost(path, f"its extended attribute {name}", error) from error


def _extended(file: Path | int) -> dict[str, bytes]:
    """Return the extended attributes of `file`; none where the file system has none."""
    found: dict[str, bytes] = {}
    try:
        names = os.listxattr(file)
    except OSError as error:
        if error.errno in _UNSUPPORTED:
            return found
        raise
    for name in names:
        if name not in _TIED_TO_THE_BYTES:
            try:
                found[name] = os.getxattr(file, name)
            except OSError as error:
                if error.errno not in _UNSUPPORTED:
                    raise
    return found


def _lost(path: Path, what: str, error: OSError) -> NotApplied:
    return NotApplied(
        f"cannot be replaced without losing {what}: {words(error)}",
        at=place(path),
        hint="run as root",
    )
