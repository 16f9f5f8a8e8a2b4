"""Directories made and taken away: the way to what `replace` writes."""

# ruff: noqa: PTH101, PTH102, PTH106  # the kill test counts os.*

from __future__ import annotations

import contextlib
import errno
import os
import stat
from typing import TYPE_CHECKING

from staplecfg.machine.durable import refusing, sync_directory
from staplecfg.machine.refusal import place
from staplecfg.model.errors import NotApplied

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def make_directories(path: Path, mode: int = 0o755) -> tuple[Path, ...]:
    """Make `path` and the directories above it, of `mode` whatever the umask.

    Returns those that were not there, outermost first. Raises `NotApplied`,
    with none of them left behind, where the system refuses.
    """
    created: list[Path] = []
    with refusing(path, "cannot be made a directory"):
        try:
            for directory in missing_directories(path):
                with contextlib.suppress(FileExistsError):  # another process was faster
                    os.mkdir(directory, mode)
                    created.append(directory)
                    os.chmod(directory, mode)
                    sync_directory(directory.parent)
            _require_directory(path)
        except BaseException:
            remove_directories(created)
            raise
    return tuple(created)


def remove_directories(created: Sequence[Path]) -> None:
    """Take the directories `created` (outermost first) away again, those that are empty.

    Raises `NotApplied` where the system refuses; one that is in use stays.
    """
    for directory in reversed(created):
        with refusing(directory, "cannot be taken away"):
            try:
                os.rmdir(directory)
            except OSError as error:
                if error.errno not in {errno.ENOENT, errno.ENOTEMPTY, errno.EEXIST}:
                    raise
            else:
                sync_directory(directory.parent)


def missing_directories(path: Path) -> tuple[Path, ...]:
    """Return what of `path` and the directories above it is not there, outermost first."""
    missing: list[Path] = []
    for directory in (path, *path.parents):
        if directory.exists():
            break
        missing.append(directory)
    return tuple(reversed(missing))


def require_trusty(directory: Path) -> None:
    """Raise `NotApplied` where others could swap what is in `directory` under our hands.

    What lies there is handed to a server, and undone from: its owner and whoever
    may write there decide what root writes where.
    """
    with refusing(directory, "cannot be looked at"):
        status = directory.stat()
    if status.st_uid not in {0, os.geteuid()}:
        problem = f"belongs to user {status.st_uid}, who could replace anything in it"
        raise NotApplied(problem, at=place(directory), hint="`chown root` it")
    if status.st_mode & stat.S_IWOTH:
        problem = "is writable for everyone, who could replace anything in it"
        raise NotApplied(problem, at=place(directory), hint="`chmod o-w` it")


def _require_directory(path: Path) -> None:
    if not path.is_dir():
        raise NotApplied(
            "is there already, and is no directory",
            at=place(path),
            hint="move it out of the way first",
        )
