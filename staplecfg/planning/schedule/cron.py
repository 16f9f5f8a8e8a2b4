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
        "minutes": _minutes(needs),
        "often": int(needs.looks.dead_man.total_seconds()) // 60,
    }
    return {TABLE: needs.rendered("cron", variables)}


def _minutes(needs: Needs) -> str:
    """Return the minutes to run at, which differ between installations and stay on each."""
    interval = int(needs.looks.interval.total_seconds()) // 60
    first = _minute(needs) % interval
    return ",".join(str(minute) for minute in range(first, 60, interval))


def _minute(needs: Needs) -> int:
    title = next((site.title for site in needs.facts.configuration.sites), "")
    digest = hashlib.sha256(title.encode("utf-8", "surrogateescape")).digest()
    return int.from_bytes(digest[:4], "big") % 60
