"""A reload that is owed: files that a server reads were changed, and it has not read them since.

Without this, a run that may not reload (a boot unit, `--no-reload`, one that was
killed) would leave the old staple served until it rots: the next run finds
every file as it should be, and nothing to do.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from staplecfg.machine import replace

if TYPE_CHECKING:
    from staplecfg.model.facts import Facts


def owed(facts: Facts) -> bool:
    """Say whether the server of `facts` has yet to re-read what was changed."""
    return _note(facts).exists()


def note(facts: Facts) -> None:
    """Remember that a reload is owed, before anything is changed; raises `NotApplied`."""
    if not owed(facts):
        replace.write(
            _note(facts), f"{facts.installation.config}\n".encode(errors="surrogateescape")
        )


def settle(facts: Facts) -> None:
    """Forget it: the server has re-read its configuration."""
    if owed(facts):
        replace.remove(_note(facts))


def _note(facts: Facts) -> Path:
    config = str(facts.installation.config).encode("utf-8", "surrogateescape")
    name = f"reload-owed-{hashlib.sha256(config).hexdigest()[:8]}"
    return Path(facts.settings.state_dir) / name
