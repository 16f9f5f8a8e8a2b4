"""What came of asking the local responder, `staplecfg serve`, as a server asks it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class NotAsked:
    """No site is told to ask it, or nobody can say from here whether it should be running."""


@dataclass(frozen=True, slots=True)
class Answers:
    """It answers about a certificate of ours, be it only that one should ask again later."""


@dataclass(frozen=True, slots=True)
class Stranger:
    """It answers, and does not know a certificate that the store knows: it reads another one."""


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """Nothing came of it that a server could use; `problem` fits after a colon."""

    problem: str


Heard: TypeAlias = "NotAsked | Answers | Stranger | NoAnswer"
NOT_ASKED = NotAsked()
