"""The systemd timer that renews, and its service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.model.change import Content
from staplecfg.planning.command_line import for_systemd
from staplecfg.planning.schedule.needs import UNITS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta
    from pathlib import PurePosixPath

    from staplecfg.planning.schedule.needs import Needs

SERVICE = UNITS / "staplecfg.service"
TIMER = UNITS / "staplecfg.timer"
ENABLED = UNITS / "timers.target.wants" / "staplecfg.timer"


def files(needs: Needs) -> Mapping[PurePosixPath, Content]:
    """Return the files, what is named before what names it."""
    variables = {
        "calendar": calendar(needs.looks.interval),
        "delay": int(needs.looks.delay.total_seconds()),
    }
    return {
        SERVICE: service(needs, changed=False),
        TIMER: needs.rendered("staplecfg.timer", variables),
        ENABLED: Content(link=str(TIMER)),
    }


def calendar(interval: timedelta) -> str:
    """Return `interval`, which divides an hour, as OnCalendar= takes it."""
    minutes = int(interval.total_seconds()) // 60
    return "hourly" if minutes == 60 else f"*:0/{minutes}"  # noqa: PLR2004 - an hour's


def service(needs: Needs, *, changed: bool) -> Content:
    """Return the service that runs `warm`, by the timer or because a certificate has `changed`.

    It may write to the units' directory: the set of watched directories is kept
    true by whoever renews.
    """
    variables = {
        "command": for_systemd(needs.warm_command),
        "writable": needs.writable(UNITS),
        "changed": changed,
    }
    return needs.rendered("staplecfg.service", variables)
