"""Whom a file is to belong to that a server's own processes write, too."""

# the kill test counts os.*

from __future__ import annotations

import os
import pwd
from dataclasses import dataclass
from typing import TYPE_CHECKING

from staplecfg.machine.durable import refusing
from staplecfg.machine.refusal import place
from staplecfg.model.errors import NotApplied

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Owner:
    """A user and its group, by number."""

    user: int
    group: int


def owner(named: str | None, path: Path) -> Owner | None:
    """Return the user `named` (`www-data`, `#33`), who is to have `path`; None: whoever writes it.

    Where we are not root neither is the server, so its processes are ours.
    Raises `NotApplied` where this machine has no such user.
    """
    if named is None or os.geteuid() != 0:
        return None
    try:
        number = int(named[1:]) if named.startswith("#") else None
        found = pwd.getpwnam(named) if number is None else pwd.getpwuid(number)
    except (KeyError, ValueError, OverflowError):
        raise NotApplied(
            f'is to belong to "{named}", and this machine has no such user',
            at=place(path),
            hint="mend the server's `User` directive",
        ) from None
    return Owner(found.pw_uid, found.pw_gid)


def require_straight(path: Path) -> None:
    """Raise `NotApplied` where the directories of `path` are not what they are called.

    Whom they belong to may put a link to any directory in the place of one; and
    we would write there as root.
    """
    if path.parent.is_symlink() or path.parent.resolve() != path.parent:
        raise NotApplied(
            "is behind a symbolic link that the server's own user may have made",
            at=place(path),
            hint="put the directory itself there",
        )


def give_directory(directory: Path, to: Owner) -> None:
    """Make `directory`, which we have just made, `to`'s; raises `NotApplied`.

    Not by its name: whoever owns the directory above can have put a link there since.
    """
    with refusing(directory, "cannot be given to the server's user"):
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            os.fchown(descriptor, to.user, to.group)
        finally:
            os.close(descriptor)
