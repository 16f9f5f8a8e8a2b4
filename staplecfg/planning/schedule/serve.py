"""The systemd unit of the local responder, where some server asks it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.model.change import Content
from staplecfg.planning.command_line import for_systemd
from staplecfg.planning.schedule.needs import UNITS
from staplecfg.servers.local_responder import UNIT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import PurePosixPath

    from staplecfg.planning.schedule.needs import Needs

SERVICE = UNITS / UNIT
ENABLED = UNITS / "multi-user.target.wants" / UNIT


def files(needs: Needs) -> Mapping[PurePosixPath, Content]:
    """Return the service and the link that starts it at boot; none where nobody asks it.

    It starts before the servers: what they ask in vain they do not ask again for
    five minutes (nginx 1.22.1).
    """
    if not any(each.served for each in needs.targets):
        return {}
    units = sorted({each.unit for each in needs.targets if each.served and each.unit is not None})
    variables = {"command": for_systemd(command(needs)), "before": units}
    return {
        SERVICE: needs.rendered(UNIT, variables),
        ENABLED: Content(link=str(SERVICE)),
    }


def command(needs: Needs) -> tuple[str, ...]:
    """Return the command line that answers where the servers were told to ask."""
    settings = needs.facts.settings
    at = needs.warm_command.index("warm")
    words = (*needs.warm_command[:at], "serve", *needs.warm_command[at + 1 :])
    named = () if settings.file is None else (f"--settings={settings.file}",)
    return (*words, *named, f"--listen={settings.serve.listen}")
