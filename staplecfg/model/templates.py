"""The templates as found, before anything is rendered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import PurePosixPath


@dataclass(frozen=True, slots=True)
class Template:
    """One template file: where it was found (for messages) and its text."""

    path: PurePosixPath
    text: str


@dataclass(frozen=True, slots=True)
class Templates:
    """Every template by its name relative to `templates/`, e.g. `nginx/file/site.conf.j2`."""

    by_name: Mapping[str, Template]
