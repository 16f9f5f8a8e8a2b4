"""How the dead man is called: by a systemd timer of his own, or from cron's table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.model.change import Content
from staplecfg.planning import dead_man
from staplecfg.planning.command_line import for_systemd
from staplecfg.planning.schedule import timer
from staplecfg.planning.schedule.needs import UNITS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import PurePosixPath

    from staplecfg.planning.schedule.needs import Needs

SERVICE = UNITS / "staplecfg-dead-man.service"
TIMER = UNITS / "staplecfg-dead-man.timer"
ENABLED = UNITS / "timers.target.wants" / "staplecfg-dead-man.timer"


def files(needs: Needs) -> Mapping[PurePosixPath, Content]:
    """Return the service and its timer."""
    calendar = timer.calendar(needs.looks.dead_man)
    variables = {"command": for_systemd(command(needs)), "writable": needs.writable()}
    return {
        SERVICE: needs.rendered("staplecfg-dead-man.service", variables),
        TIMER: needs.rendered("staplecfg-dead-man.timer", {"calendar": calendar}),
        ENABLED: Content(link=str(TIMER)),
    }


def command(needs: Needs) -> tuple[str, ...]:
    """Return the command; through the shell, for state may be mounted noexec."""
    return ("/bin/sh", str(dead_man.script(needs.state_dir)))
