"""Where in state nginx's files are."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import PurePosixPath

STAPLES = "staples"
"""The directory of served copies, among those of the site keys."""


def directory(state_dir: PurePosixPath) -> PurePosixPath:
    """Return where nginx's snippets and served copies are."""
    return state_dir / "nginx"
