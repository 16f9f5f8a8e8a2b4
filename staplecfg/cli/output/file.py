"""What a command writes for others to read: whole or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.machine import replace

if TYPE_CHECKING:
    from pathlib import Path


def write_whole(real: Path, data: bytes) -> None:
    """Put `data` in the place of `real` at once; raises `NotApplied` with what was there kept."""
    # A name of its own, known beforehand: what a killed run left is taken away by the next.
    temporary = real.with_name(f".{real.name}.staplecfg.tmp")
    if temporary.exists():
        replace.remove(temporary)
    replace.write(real, data, temporary=temporary)
