"""What can go wrong, as data.

    StaplecfgError                 problem, at, hint, state of the machine
    ├── UsageProblem          2    the command line or the settings make no sense
    ├── Unreadable            3    a file cannot be read
    ├── NotUnderstood         3    a file was read and cannot be understood
    ├── TargetVanished        1    a server that is looked after is gone
    ├── NotApplied            4    nothing was done, or everything was undone
    │   ├── StalePlan              a file is no longer what the plan was made for
    │   ├── ServerRefused          the server's own test or reload said no
    │   │   └── ServerDied         it took what it was given, and ended
    │   └── Busy                   another staplecfg holds the lock
    └── UndoFailed            5    a person must look

A class stands here only if someone catches it or its exit status differs. How
an error is worded for people is decided in one place: `cli.main`.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from staplecfg.model.source import Location


class ExitStatus(IntEnum):
    """What the process says when it ends; the only place these numbers stand."""

    DONE = 0
    """Done, or nothing to do."""
    FINDINGS = 1
    """Findings of severity error, pending changes (diff), or a staple that needs a person."""
    USAGE = 2
    """The command line or the settings make no sense."""
    NOT_UNDERSTOOD = 3
    """Something could not be read or understood; nothing was changed."""
    NOT_APPLIED = 4
    """Not applied; the machine is as it was before."""
    UNDO_FAILED = 5
    """Undoing failed; a person must look."""
    BUG = 70
    """A bug of ours (EX_SOFTWARE)."""


class StaplecfgError(Exception):
    """Something a person can act on. `problem` fits after a colon: lower case, no full stop."""

    status: ClassVar[ExitStatus] = ExitStatus.NOT_UNDERSTOOD

    def __init__(
        self,
        problem: str,
        *,
        at: Location | None = None,
        hint: str | None = None,
        state: str | None = None,
    ) -> None:
        """Say `problem`, where (`at`), what to do (`hint`), how the machine was left (`state`)."""
        super().__init__(problem)
        self.problem = problem
        self.at = at
        self.hint = hint
        self.state = state

    @property
    def code(self) -> str:
        """A stable name for JSON: the class's own, in kebab case."""
        name = type(self).__name__
        return "".join(f"-{c.lower()}" if c.isupper() else c for c in name).lstrip("-")


class UsageProblem(StaplecfgError):
    """The command line or the settings make no sense."""

    status = ExitStatus.USAGE


class Unreadable(StaplecfgError):
    """A file cannot be read: missing, forbidden, a directory, too large."""


class NotUnderstood(StaplecfgError):
    """A file was read and cannot be understood; it is refused, never guessed at."""


class TargetVanished(StaplecfgError):
    """A server that staplecfg looks after is gone; `at` is what is missed."""

    status = ExitStatus.FINDINGS


class NotApplied(StaplecfgError):
    """Nothing was done, or everything that was done has been undone."""

    status = ExitStatus.NOT_APPLIED


class StalePlan(NotApplied):
    """A file is no longer what the plan was made for."""


class ServerRefused(NotApplied):
    """The server's own test or reload said no; `problem` ends in its own words."""


class ServerDied(ServerRefused):
    """The server's master process is gone: nobody answers, and it must be started again."""


class Busy(NotApplied):
    """Another staplecfg holds the lock."""


class UndoFailed(StaplecfgError):
    """Undoing failed. `state` lists which file holds what."""

    status = ExitStatus.UNDO_FAILED
