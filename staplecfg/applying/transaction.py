"""All of the changes or none of them, at whatever instruction it ends."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from staplecfg.machine import journal as journals
from staplecfg.machine.disk import Disk
from staplecfg.machine.interruption import Interrupted, interruptions
from staplecfg.machine.owners import give_directory, owner, require_straight
from staplecfg.machine.refusal import hint, place, words
from staplecfg.machine.replace import make_directories, make_link, remove, remove_directories, write
from staplecfg.machine.standing import require_standing
from staplecfg.machine.undo import Outcome, undo
from staplecfg.model.errors import NotApplied, StaplecfgError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path, PurePosixPath

    from staplecfg.machine.interruption import Interruptions
    from staplecfg.machine.manifest import Entry, Journal
    from staplecfg.machine.undo import Undone
    from staplecfg.model.change import Change


class Transaction:
    """Changes that are in their places and can still be undone."""

    def __init__(self, signals: Interruptions) -> None:
        """Begin uncommitted; `signals` are deferred from the commit on."""
        self.committed = False
        self.journal: Journal | None = None
        self._signals = signals

    def see_through(self) -> None:
        """Let signals wait from now on: to go back would be worse than to go on."""
        self._signals.defer()

    def commit(self) -> None:
        """Keep the changes: nothing is undone any more, and signals wait for the end.

        Raises `NotApplied` where that cannot be written down; leaving the
        context then undoes everything.
        """
        self._signals.defer()
        if self.journal is not None:
            journals.commit(self.journal)
        self.committed = True


@contextlib.contextmanager
def carry(
    changes: Sequence[Change],
    *,
    state_dir: Path,
    root: Path,
    included: Callable[[PurePosixPath], bool],
) -> Iterator[Transaction]:
    """Carry out `changes` in order, and undo them all unless the body commits.

    The caller holds the lock and has undone an interrupted run. `included`
    says whether a server reads a path of this machine: nothing temporary comes
    to be there. SIGINT, SIGTERM and SIGHUP undo, too.

    Raises `StalePlan` where something is no longer what it was planned on,
    otherwise `NotApplied`, or whatever the body raised; errors of ours say in
    `state` what was undone. Raises `UndoFailed` where a person must look. A
    bug stays the exception it is, after the undoing.
    """
    if journals.interrupted(state_dir) is not None:
        raise NotApplied("an interrupted run must be undone first", at=place(state_dir))
    with interruptions() as signals:
        transaction = Transaction(signals)
        try:
            if changes:
                transaction.journal = journals.begin(
                    state_dir, changes, root=root, included=included
                )
                for entry, change in zip(transaction.journal.entries, changes, strict=True):
                    _carry_out(entry, change)
            yield transaction
        except BaseException as error:
            signals.defer()
            if transaction.committed:
                raise
            told = _told(error, _undo(state_dir))
            if told is error:
                raise
            raise told from error
        signals.defer()
        if transaction.committed:
            prune(changes, state_dir=state_dir, root=root)
        else:
            _undo(state_dir)


def prune(changes: Sequence[Change], *, state_dir: Path, root: Path) -> None:
    """Take away the directories in `state_dir` that deletions among `changes` have emptied."""
    real = state_dir.resolve()
    for change in changes:
        path = Disk(root).place(change.path)
        if change.after is None and real in path.parents:
            ours = [parent for parent in path.parents if real in parent.parents]
            with contextlib.suppress(NotApplied):  # an empty directory does no harm
                remove_directories(ours[::-1])


def _carry_out(entry: Entry, change: Change) -> None:
    """Make one change, if what is there is still what it was planned on."""
    require_standing(entry.path, entry.before)
    if change.after is None:
        remove(entry.path, aside=entry.aside)
        return
    to = owner(change.after.owner, entry.path)
    if to is not None:
        require_straight(entry.path)
    made = make_directories(entry.path.parent)
    if to is not None:
        require_straight(entry.path)
        if entry.path.parent in made:
            give_directory(entry.path.parent, to)
    if change.after.link is not None:
        make_link(entry.path, change.after.link, temporary=entry.temporary, aside=entry.aside)
    else:
        write(
            entry.path,
            change.after.data,
            mode=entry.mode,
            owner=to,
            temporary=entry.temporary,
            aside=entry.aside,
        )


def _undo(state_dir: Path) -> str:
    """Undo what the journal in `state_dir` says is under way; returns what became of it."""
    under_way = journals.interrupted(state_dir)
    if under_way is None:
        with contextlib.suppress(NotApplied):  # litter of a journal never begun: swept later
            journals.sweep(state_dir)
        return "nothing was changed"
    return _summary(undo(under_way))


def _summary(undone: Sequence[Undone]) -> str:
    restored = sum(each.outcome is Outcome.RESTORED for each in undone)
    plural = "" if restored == 1 else "s"
    said = f"restored {restored} file{plural}" if restored else "nothing was changed"
    alone = [str(each.path) for each in undone if each.outcome is Outcome.LEFT_ALONE]
    return f"{said}; left alone, changed by somebody else: {', '.join(alone)}" if alone else said


def _told(error: BaseException, state: str) -> BaseException:
    """Return what to raise for `error` after undoing, which left the machine in `state`."""
    if isinstance(error, StaplecfgError):
        error.state = state if error.state is None else f"{error.state}; {state}"
        return error
    if isinstance(error, KeyboardInterrupt):
        by = f" by {error.name}" if isinstance(error, Interrupted) else ""
        return NotApplied(f"interrupted{by}", state=state)
    if isinstance(error, OSError):
        return NotApplied(words(error), hint=hint(error), state=state)
    return error
