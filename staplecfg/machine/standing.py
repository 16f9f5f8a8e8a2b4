"""What stands at a path right now, and whether it is what the plan was made for."""

from __future__ import annotations

import hashlib
import stat
from typing import TYPE_CHECKING

from staplecfg.machine.disk import LARGEST
from staplecfg.machine.durable import read_back, refusing, status_of
from staplecfg.machine.refusal import place
from staplecfg.model.change import Content
from staplecfg.model.errors import NotApplied, StalePlan

if TYPE_CHECKING:
    from pathlib import Path

ABSENT = "absent"


def standing(path: Path) -> Content | None:
    """Return what stands at `path`, links not followed; None for nothing.

    Raises `NotApplied` where it is neither a file nor a link, or cannot be read.
    """
    with refusing(path, "cannot be read"):
        status = status_of(path)
        if status is None:
            return None
        if stat.S_ISLNK(status.st_mode):
            return Content(link=str(path.readlink()))
        if not stat.S_ISREG(status.st_mode) or status.st_size > LARGEST:
            raise NotApplied("is neither a file of bearable size nor a link", at=place(path))
        return Content(read_back(path, most=LARGEST), mode=stat.S_IMODE(status.st_mode))


def fingerprint(content: Content | None) -> str:
    """Return a word that is the same for the same bytes, or the same link; modes do not count."""
    if content is None:
        return ABSENT
    if content.link is not None:
        return f"link:{content.link}"
    return f"sha256:{hashlib.sha256(content.data).hexdigest()}"


def require_standing(path: Path, expected: str) -> None:
    """Raise `StalePlan` unless what stands at `path` has the fingerprint `expected`."""
    found = fingerprint(standing(path))
    if found == expected:
        return
    if found == ABSENT:
        problem = "is gone since the plan was made"
    elif expected == ABSENT:
        problem = "was made by somebody else since the plan was made"
    else:
        problem = "has been changed since the plan was made"
    raise StalePlan(problem, at=place(path), hint="run the command again")
