"""The only writer: every file and link of ours is made and taken away here.

A file is written beside its place, under a name no server reads, and renamed
over it once it is whole and on the disk: at every instant the place holds the
old bytes or the new ones. Effects are calls of `os.*` as attributes, which the
kill test counts and cuts off one after the other.
"""

# ruff: noqa: PTH104, PTH108, PTH211  # the kill test counts os.*

from __future__ import annotations

import os
import secrets
import stat
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from staplecfg.machine.attributes import attributes_in, attributes_of, with_mode, with_owner
from staplecfg.machine.directories import (
    make_directories,
    missing_directories,
    remove_directories,
)
from staplecfg.machine.durable import (
    create,
    keep,
    refusing,
    status_of,
    sync_directory,
    unlinked_on_failure,
)
from staplecfg.machine.refusal import place
from staplecfg.model.errors import NotApplied

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from staplecfg.machine.attributes import Attributes
    from staplecfg.machine.owners import Owner

__all__ = [
    "make_directories",
    "make_link",
    "missing_directories",
    "put_back",
    "remove",
    "remove_directories",
    "require_replaceable",
    "staging_directory",
    "temporary_in",
    "write",
]

TEMPORARY = ".staplecfg-{}.tmp"
"""A temporary file's name: the dot keeps it out of every pattern that does not begin with one."""


def write(  # noqa: PLR0913 - each keyword is a term a caller decides by name
    path: Path,
    data: bytes,
    *,
    mode: int | None = None,
    owner: Owner | None = None,
    attributes: Attributes | None = None,
    staging: Path | None = None,
    temporary: Path | None = None,
    aside: Path | None = None,
) -> None:
    """Put `data` at `path`, at once and for good, with the owner, mode and labels it has there.

    `mode` overrides the mode kept, and is 0644 for a new file whatever the
    umask; `owner` overrides whom it belongs to, `attributes` all of them. The
    new file is born in `staging` (the directory of `path`), or as `temporary`;
    both must be on the same device.
    What was there keeps the name `aside`, where one is given and hard links are to be had.

    Raises `NotApplied`, with nothing left behind, where `path` is a symbolic
    link, has a second hard link, or the system refuses. `path` is then as it
    was, unless the very last step failed: to put its new name on the disk.
    """
    with refusing(path, "cannot be written"):
        present = require_replaceable(path)
        born = temporary or temporary_in(staging or path.parent)
        if present is None:
            natural = attributes_in(path.parent, born.parent)
        else:
            natural = attributes_of(path)
        with unlinked_on_failure(born):
            wanted = with_owner(with_mode(natural, mode), owner)
            create(born, data, attributes or wanted, at=path)
            _take_place(path, born, aside if present is not None else None)
        _sync(path, born)


def make_link(
    path: Path,
    target: str,
    *,
    staging: Path | None = None,
    temporary: Path | None = None,
    aside: Path | None = None,
) -> None:
    """Make `path` a symbolic link to `target`, in the place of a link or of nothing.

    For `staging`, `temporary` and `aside` see `write`. Raises `NotApplied`,
    with nothing left behind, where a file or a directory stands there or the
    system refuses.
    """
    with refusing(path, "cannot be made a link"):
        present = status_of(path)
        if present is not None and not stat.S_ISLNK(present.st_mode):
            raise NotApplied("is there already, and is no symbolic link", at=place(path))
        born = temporary or temporary_in(staging or path.parent)
        with unlinked_on_failure(born):
            os.symlink(target, born)
            _take_place(path, born, aside if present is not None else None)
        _sync(path, born)


def remove(path: Path, *, aside: Path | None = None) -> None:
    """Take the file or link `path` away, or rename it `aside`; what is not there is no error.

    Raises `NotApplied` where it is a directory or the system refuses.
    """
    with refusing(path, "cannot be taken away"):
        present = status_of(path)
        if present is None:
            return
        if stat.S_ISDIR(present.st_mode):
            raise NotApplied("is a directory", at=place(path))
        if aside is None:
            os.unlink(path)
        else:
            os.rename(path, aside)
        _sync(path, aside or path)


def staging_directory(target: Path, included: Callable[[PurePosixPath], bool]) -> Path:
    """Return the nearest directory where a temporary file for `target` is nobody's business.

    That is one on the same device, `target`'s own or one above, in which
    `included` (by a server's include; asked about real paths) takes no
    temporary name: Apache's `Include directory` reads dot-files too. It may
    not be there yet, as little as the directory of `target`.

    Raises `NotApplied` where there is none.
    """
    with refusing(target, "cannot be replaced"):
        device = _device(target.parent)
        for directory in target.parents:
            if _device(directory) != device:
                break
            if not included(PurePosixPath(directory / TEMPORARY.format("0" * 16))):
                return directory
    raise NotApplied(
        "cannot be replaced unseen: the server includes every directory of its file system "
        "in which a temporary file could be",
        at=place(target),
        hint="include files by a pattern (`*.conf`), not a whole directory",
    )


def temporary_in(directory: Path) -> Path:
    """Return a path in `directory` that nothing has."""
    return directory / TEMPORARY.format(secrets.token_hex(8))


def require_replaceable(path: Path) -> os.stat_result | None:
    """Return the status of `path`, or None; raises `NotApplied` where a rename would do harm."""
    present = status_of(path)
    if present is None:
        return None
    if stat.S_ISLNK(present.st_mode):
        raise NotApplied(
            "is a symbolic link, and would become a file",
            at=place(path),
            hint="name the file that it leads to",
        )
    if not stat.S_ISREG(present.st_mode):
        raise NotApplied(
            "is there already, and is no regular file",
            at=place(path),
            hint="move it out of the way first",
        )
    if present.st_nlink > 1:
        raise NotApplied(
            f"has {present.st_nlink} hard links, and the others would keep the old content",
            at=place(path),
            hint="make the other names symbolic links, or copies of their own",
        )
    return present


def put_back(path: Path, aside: Path) -> None:
    """Give `path` back what was renamed `aside`, or kept there; raises `NotApplied`."""
    with refusing(path, "cannot be put back"):
        os.rename(aside, path)
        _sync(path, aside)


def _take_place(path: Path, born: Path, aside: Path | None) -> None:
    """Rename `born` over `path`; what was there keeps the name `aside`, if that is given."""
    with unlinked_on_failure(aside):
        if aside is not None:
            keep(path, aside)
        os.rename(born, path)


def _sync(path: Path, born: Path) -> None:
    """Put the name `path` on the disk, and the end of the name `born`."""
    sync_directory(path.parent)
    if born.parent != path.parent:
        sync_directory(born.parent)


def _device(directory: Path) -> int:
    """Return the device of `directory`, or of the nearest one above that is there."""
    there = next(each for each in (directory, *directory.parents) if each.is_dir())
    return there.stat().st_dev
