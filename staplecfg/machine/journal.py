"""The undo journal on disk: the bytes before, kept until the machine is known to be better off.

The manifest is the commit point: while it is there, an apply is under way, and
whoever holds the lock next undoes it. It is written last and taken away first.
"""

# ruff: noqa: PTH106, PTH108  # the kill test counts os.*

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from staplecfg.machine import manifest
from staplecfg.machine.attributes import attributes_of
from staplecfg.machine.disk import LARGEST, Disk
from staplecfg.machine.durable import create, read_back, refusing, sync_directory
from staplecfg.machine.manifest import Entry, Journal
from staplecfg.machine.owners import require_straight
from staplecfg.machine.refusal import place, words
from staplecfg.machine.replace import (
    TEMPORARY,
    make_directories,
    missing_directories,
    require_replaceable,
    staging_directory,
    temporary_in,
    write,
)
from staplecfg.machine.standing import fingerprint, require_standing
from staplecfg.model.errors import NotApplied, NotUnderstood, UndoFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import PurePosixPath

    from staplecfg.model.change import Change, Content

_DIRECTORY = "journal"
_PRIVATE = 0o700
"""What is kept may have been readable to its owner alone."""


def begin(
    state_dir: Path,
    changes: Sequence[Change],
    *,
    root: Path,
    included: Callable[[PurePosixPath], bool],
) -> Journal:
    """Write down in `state_dir` how to undo `changes`, then that they are under way.

    Paths of `changes` are those of the tree under `root`; `included` says of a
    path on this machine whether a server would read it. Nothing but the journal
    is touched. Raises `StalePlan` where something is no longer as planned, and
    `NotApplied` where a change could not be carried out or undone.
    """
    directory = state_dir / _DIRECTORY
    if (directory / manifest.NAME).exists():
        raise NotApplied("an interrupted run must be undone first", at=place(directory))
    make_directories(state_dir)
    journal = _journal(directory, changes, Disk(root), included)
    _clear(directory)
    make_directories(directory, _PRIVATE)
    with refusing(directory, "cannot be written"):
        for entry, change in zip(journal.entries, changes, strict=True):
            if entry.backup is not None and change.before is not None:
                create(directory / entry.backup, change.before.data, at=directory / entry.backup)
        sync_directory(directory)
    write(directory / manifest.NAME, manifest.encode(journal), mode=0o600)
    return journal


def file(state_dir: PurePosixPath) -> PurePosixPath:
    """Return what is there exactly while an apply is under way or was interrupted."""
    return state_dir / _DIRECTORY / manifest.NAME


def interrupted(state_dir: Path) -> Journal | None:
    """Return the journal of an apply that neither ended nor was undone, or None.

    Raises `UndoFailed` where there is one that cannot be gone by: it is not
    readable, or not ours, and would make us write whatever it says.
    """
    directory = state_dir / _DIRECTORY
    path = directory / manifest.NAME
    try:
        statuses = (directory.lstat(), path.lstat())
        said = read_back(path, most=LARGEST)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unusable(path, words(error)) from error
    if not stat.S_ISDIR(statuses[0].st_mode):
        raise _unusable(path, "its directory is a link, and a journal of staplecfg's is none")
    for status in statuses:
        if status.st_uid != os.geteuid():
            owner = f"belongs to user {status.st_uid}"
            raise _unusable(path, f"{owner}, not to user {os.geteuid()} who runs this")
        if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise _unusable(path, "others than its owner may write there")
    try:
        return manifest.decode(said, directory)
    except NotUnderstood as error:
        raise _unusable(path, error.problem) from error


def commit(journal: Journal) -> None:
    """End `journal`: what was done stays done, and what was there before is forgotten.

    Raises `NotApplied` where the manifest cannot be taken away: then the apply
    is still under way, and the bytes in the journal are what undoes it. Once
    it is gone nothing can fail any more: what is left of the journal is
    litter, which the next run sweeps up.
    """
    with refusing(journal.directory, "cannot be ended"):
        _forget(journal)
        os.unlink(journal.directory / manifest.NAME)
    with contextlib.suppress(OSError):
        sync_directory(journal.directory)
        _clear(journal.directory)


def sweep(state_dir: Path) -> tuple[Path, ...]:
    """Take away what killed runs left in `state_dir`, and return it; only for lock holders.

    That is temporary files, and a journal that never came to its manifest. An
    interrupted apply must have been undone before.
    """
    prefix, suffix = TEMPORARY.split("{}")
    swept: list[Path] = []
    with refusing(state_dir, "cannot be swept"):
        for directory, _, names in os.walk(state_dir):
            for name in names:
                if name.startswith(prefix) and name.endswith(suffix):
                    os.unlink(Path(directory, name))
                    swept.append(Path(directory, name))
        journal = state_dir / _DIRECTORY
        if journal.is_dir() and not (journal / manifest.NAME).exists():
            _clear(journal)
            swept.append(journal)
    return tuple(swept)


def _journal(
    directory: Path,
    changes: Sequence[Change],
    disk: Disk,
    included: Callable[[PurePosixPath], bool],
) -> Journal:
    """Return the journal of `changes`, having looked at everything they touch."""
    entries: list[Entry] = []
    created: dict[Path, None] = {}
    for number, change in enumerate(changes):
        path = disk.place(change.path)
        if change.after is not None and change.after.owner is not None:
            # Planned as it really was: a link that leads there has been made since.
            require_straight(disk.root / str(change.path).lstrip("/"))
        require_standing(path, fingerprint(change.before))
        _require_same_nature(path, change)
        entries.append(_entry(number, change, path, staging_directory(path, included)))
        if change.after is not None:
            created |= dict.fromkeys(missing_directories(path.parent))
    if len({entry.path for entry in entries}) != len(entries):
        raise ValueError("two changes of one path")
    return Journal(directory, tuple(entries), tuple(created))


def _entry(number: int, change: Change, path: Path, staging: Path) -> Entry:
    before, after = change.before, change.after
    is_file = before is not None and before.link is None
    with refusing(path, "cannot be read"):
        attributes = attributes_of(path) if is_file else None
    return Entry(
        path=path,
        kind=change.kind,
        before=fingerprint(before),
        after=fingerprint(after),
        temporary=temporary_in(staging),
        aside=temporary_in(staging),
        backup=f"{number}.before" if is_file else None,
        link=None if before is None else before.link,
        attributes=attributes,
        mode=None if after is None else after.mode,
    )


def _require_same_nature(path: Path, change: Change) -> None:
    """Raise `NotApplied` where a file would become a link, a link a file, or hard links part."""
    if change.before and change.after and _is_link(change.before) != _is_link(change.after):
        natures = ("a link", "a file") if _is_link(change.before) else ("a file", "a link")
        raise NotApplied(
            f"is {natures[0]} and would become {natures[1]}",
            at=place(path),
            hint="move it out of the way first",
        )
    if not any(side is not None and _is_link(side) for side in (change.before, change.after)):
        require_replaceable(path)


def _is_link(content: Content) -> bool:
    return content.link is not None


def _forget(journal: Journal) -> None:
    """Take away the other names of what was there before."""
    directories: dict[Path, None] = {}
    for entry in journal.entries:
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            os.unlink(entry.aside)
            directories[entry.aside.parent] = None
    for directory in directories:
        sync_directory(directory)


def _clear(directory: Path) -> None:
    """Take away what is in the journal `directory`, and it; what has no manifest is litter."""
    with contextlib.suppress(FileNotFoundError):
        for path in directory.iterdir():
            os.unlink(path)
        os.rmdir(directory)


def _unusable(path: Path, problem: str) -> UndoFailed:
    return UndoFailed(
        f"an apply was interrupted, and its journal cannot be used: {problem}",
        at=place(path),
        hint=f"the bytes from before are in {path.parent}; put them back by hand, "
        "then move that directory away",
    )
