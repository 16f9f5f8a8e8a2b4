"""A reload that is owed: files that a server reads were changed, and it has not read them since.

Without this, a run that may not reload (a boot unit, `--no-reload`, one that was
killed) would leave the old staple served until it rots: the next run finds
every file as it should be, and nothing to do.

It is one file for each server, which the dead man knows too: he writes it before
he changes anything, and settles what is owed at once and nobody has settled. What
says `LATER` is left to the next run of staplecfg: it may have to undo first, or
the user wants to reload himself.
"""

from __future__ import annotations

import contextlib
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from staplecfg.machine import replace
from staplecfg.planning import dead_man, targeted

if TYPE_CHECKING:
    from staplecfg.model.facts import Facts

AT_ONCE = b""
LATER = b"staplecfg\n"


def owed(facts: Facts) -> bool:
    """Say whether the server of `facts` has yet to re-read what was changed."""
    return any(path.exists() for path in _notes(facts))


def note(facts: Facts, *, at_once: bool) -> None:
    """Remember that a reload is owed, before anything is changed; raises `NotApplied`.

    `at_once` lets the dead man settle it, should nobody else; that is never taken back.
    """
    path, _ = _notes(facts)
    with contextlib.suppress(FileNotFoundError):
        if path.read_bytes() == AT_ONCE or not at_once:
            return
    replace.make_directories(path.parent)
    replace.write(path, AT_ONCE if at_once else LATER)


def settle(facts: Facts) -> None:
    """Forget it: the server has re-read its configuration, or was never to be told of anything."""
    for path in _notes(facts):
        if path.exists():
            replace.remove(path)


def _notes(facts: Facts) -> tuple[Path, Path]:
    """Return where it is written down, and where an earlier staplecfg did."""
    state_dir = facts.settings.state_dir
    config = str(facts.installation.config).encode("utf-8", "surrogateescape")
    earlier = f"reload-owed-{hashlib.sha256(config).hexdigest()[:8]}"
    return Path(dead_man.pending(targeted.name(facts), state_dir)), Path(state_dir) / earlier
