"""The cron table, where there is no systemd."""

from __future__ import annotations

import hashlib
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from staplecfg.planning.command_line import for_cron
from staplecfg.planning.schedule import dead_man

if TYPE_CHECKING:
    from collections.abc import Mapping

    from staplecfg.model.change import Content
    from staplecfg.planning.schedule.needs import Needs

TABLE = PurePosixPath("/etc/cron.d/staplecfg")


def files(needs: Needs) -> Mapping[PurePosixPath, Content]:
    """Return the table."""
    variables = {
        "command": for_cron(needs.warm_command),
        "dead_man": for_cron(dead_man.command(needs)),
        "minute": str(_minute(needs)),
    }
    return {TABLE: needs.rendered("cron", variables)}


def _minute(needs: Needs) -> int:
    """Return a minute that differs between installations and stays the same on each."""
    title = next((site.title for site in needs.facts.configuration.sites), "")
    digest = hashlib.sha256(title.encode("utf-8", "surrogateescape")).digest()
    return int.from_bytes(digest[:4], "big") % 60
