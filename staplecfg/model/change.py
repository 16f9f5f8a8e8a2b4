"""One file that will be written, made a link, or taken away: the noun all writing goes by."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import PurePosixPath

    from staplecfg.model.edit import Edit


class Kind(Enum):
    """What a changed file is for, named in JSON."""

    CONFIG = "config"
    """The server's configuration, in `/etc`."""
    SNIPPET = "snippet"
    """A file in state that the configuration includes."""
    STAPLE = "staple"
    """A judged response that a server reads."""
    LINK = "link"
    """A symbolic link."""
    UNIT = "unit"
    """A systemd unit or a cron table: the schedule."""
    RECORD = "record"
    """Our own memory of what we put where."""


@dataclass(frozen=True, slots=True)
class Content:
    """What stands at a path: bytes, or a link's target. `mode` None keeps what is there.

    `owner` is the user, by name or `#number`, whom a new file is to belong to,
    and the directory that is made for it: a server's own processes write there too.
    """

    data: bytes = b""
    link: str | None = None
    mode: int | None = None
    owner: str | None = None

    def same(self, other: Content | None) -> bool:
        """Say whether `other` holds the same bytes or the same link; the mode is not compared."""
        return other is not None and (self.data, self.link) == (other.data, other.link)


@dataclass(frozen=True, slots=True)
class Change:
    """`path` (links followed) from `before` to `after`; None stands for "is not there".

    `edits` says how `after` came out of `before`, where it was edited, so that
    a diff need not guess.
    """

    path: PurePosixPath
    kind: Kind
    before: Content | None
    after: Content | None
    edits: tuple[Edit, ...] = ()

    @property
    def op(self) -> str:
        """`create`, `modify` or `delete`."""
        if self.before is None:
            return "create"
        return "delete" if self.after is None else "modify"
