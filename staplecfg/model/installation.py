"""The server on this machine: its binary, its version, its paths."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import PurePosixPath


@dataclass(frozen=True, slots=True)
class Installation:
    """What a server's binary says of itself, with what the settings overrule.

    `binary` is None under `--root`, where nothing is executed; `version` is then
    unknown (an empty tuple). `details` are the server's own extras (nginx: its
    configure arguments, without the leading dashes).
    """

    server: str
    binary: PurePosixPath | None
    version: tuple[int, ...]
    banner: str
    """The version line as printed: `nginx/1.22.1`, `Tengine/3.1.0`, ..."""
    config: PurePosixPath
    prefix: PurePosixPath
    details: Mapping[str, str]
