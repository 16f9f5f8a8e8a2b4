"""Undoing an apply from its journal, as often as it takes: it may itself be killed anywhere."""

# ruff: noqa: PTH101  # the kill test counts os.*

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from staplecfg.machine.disk import LARGEST
from staplecfg.machine.durable import read_back, refusing
from staplecfg.machine.journal import commit
from staplecfg.machine.refusal import place
from staplecfg.machine.replace import (
    make_directories,
    make_link,
    put_back,
    remove,
    remove_directories,
    write,
)
from staplecfg.machine.standing import ABSENT, fingerprint, standing
from staplecfg.model.change import Content
from staplecfg.model.errors import NotApplied, UndoFailed

if TYPE_CHECKING:
    from pathlib import Path

    from staplecfg.machine.manifest import Entry, Journal


# One way back is enough, and there are two: the file itself under its other name, which
# takes no room and keeps its inode; and the bytes in the journal, where it has none.


class Outcome(Enum):
    """What became of one path."""

    RESTORED = "restored"
    AS_BEFORE = "as before"
    """The change had not got there yet, or had been undone already."""
    LEFT_ALONE = "left alone"
    """It holds neither what was there before nor what we put: somebody else's since."""


@dataclass(frozen=True, slots=True)
class Undone:
    """What became of `path`."""

    path: Path
    outcome: Outcome


def undo(journal: Journal) -> tuple[Undone, ...]:
    """Put back what was there before `journal` began, last change first, and end it.

    One path that cannot be put back does not keep the others from it. Raises
    `UndoFailed`, whose state says which file holds what, and leaves the journal
    for the next run then.
    """
    undone: list[Undone] = []
    failures: list[str] = []
    cause: NotApplied | None = None
    for entry in reversed(journal.entries):
        try:
            undone.append(Undone(entry.path, _undo(entry, journal.directory)))
        except NotApplied as error:
            cause = error
            failures.append(_holding(entry, journal.directory, error))
    if cause is not None:
        raise UndoFailed(
            f"{len(failures)} of {len(journal.entries)} changes could not be undone",
            at=place(journal.directory),
            hint="remove the cause and run any command of staplecfg that writes: "
            "it goes on undoing before anything else",
            state="\n".join(failures),
        ) from cause
    _end(journal)
    return tuple(undone)


def _undo(entry: Entry, directory: Path) -> Outcome:
    """Put back what was at one path, if what is there now is ours."""
    remove(entry.temporary)
    found = standing(entry.path)
    if fingerprint(found) == entry.before:
        _restore_mode(entry, found)
        return Outcome.AS_BEFORE
    if fingerprint(found) != entry.after:
        return Outcome.LEFT_ALONE
    _restore(entry, directory)
    return Outcome.RESTORED


def _restore(entry: Entry, directory: Path) -> None:
    if entry.before == ABSENT:
        remove(entry.path)
        return
    make_directories(entry.path.parent)
    if fingerprint(standing(entry.aside)) == entry.before:
        put_back(entry.path, entry.aside)
    elif entry.link is not None:
        make_link(entry.path, entry.link, temporary=entry.temporary)
    elif entry.backup is not None:
        kept = _kept(directory / entry.backup, entry.before)
        write(entry.path, kept, attributes=entry.attributes, temporary=entry.temporary)


def _restore_mode(entry: Entry, found: Content | None) -> None:
    """Give a file whose mode alone was changed its mode back."""
    if entry.attributes is None or entry.mode is None or found is None or found.mode is None:
        return
    if found.mode == stat.S_IMODE(entry.mode) != entry.attributes.mode:
        with refusing(entry.path, "cannot be given its mode back"):
            os.chmod(entry.path, entry.attributes.mode)


def _kept(backup: Path, expected: str) -> bytes:
    """Return the bytes in `backup`; raises `NotApplied` where they are not those kept there."""
    with refusing(backup, "cannot be read"):
        kept = read_back(backup, most=LARGEST)
    if fingerprint(Content(kept)) != expected:
        raise NotApplied("does not hold the bytes that were kept in it", at=place(backup))
    return kept


def _end(journal: Journal) -> None:
    """Take away the directories that were made, and the journal; raises `UndoFailed`."""
    try:
        remove_directories(journal.created)
        commit(journal)
    except NotApplied as error:
        raise UndoFailed(
            f"every file is as before, and the journal could not be ended: {error.problem}",
            at=error.at,
            hint=error.hint,
            state="every file holds what it held before",
        ) from error


def _holding(entry: Entry, directory: Path, error: NotApplied) -> str:
    """Say what `entry.path` holds and where to find what it held."""
    said = f"{entry.path}: not undone ({error.problem})"
    if entry.backup is not None:
        return f"{said}; what it held before is in {directory / entry.backup}"
    if entry.link is not None:
        return f"{said}; it was a link to {entry.link}"
    return f"{said}; it was not there before"
