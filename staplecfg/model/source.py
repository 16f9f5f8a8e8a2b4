"""Where something stands: bytes for us, path and line for people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import PurePosixPath


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """The bytes from `start` up to, not including, `end`; both count from the file's first byte."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Location:
    """A place a person can open: the path as they know it, and the line, from 1, if any."""

    path: PurePosixPath
    line: int | None = None

    def __str__(self) -> str:
        return str(self.path) if self.line is None else f"{self.path}:{self.line}"
