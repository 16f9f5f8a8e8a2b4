"""What a running Apache does not survive being told, though a start would be fine."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from staplecfg.model.site import Configuration

CACHE = "SSLStaplingCache"


def outlives(read: Configuration, told: Configuration) -> str | None:
    """Return why an httpd that has `read` one configuration may die of being `told` another.

    mod_ssl keeps its stapling cache over reloads, and the memory that describes
    it does not last so long. A reload without the directive goes by what is no
    longer there: sometimes it lives on, sometimes the next one ends it
    (2.4.71: AH00819, AH01872).
    """
    if read.globals.get(CACHE) and not told.globals.get(CACHE):
        return f"httpd does not survive a reload that takes its {CACHE} away"
    return None
