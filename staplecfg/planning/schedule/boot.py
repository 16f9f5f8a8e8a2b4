"""The systemd unit that puts staples right before a server starts or is reloaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.model.change import Content
from staplecfg.planning.command_line import for_systemd
from staplecfg.planning.schedule import dead_man
from staplecfg.planning.schedule.needs import UNITS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import PurePosixPath

    from staplecfg.planning.schedule.needs import Needs

TEMPLATE = "staplecfg-boot@.service"
UNIT = UNITS / TEMPLATE
SUFFIX = ".service"


def files(needs: Needs) -> Mapping[PurePosixPath, Content]:
    """Return the unit, and a link for each server's unit that makes it start first."""
    units = sorted({each.unit for each in needs.targets if each.unit is not None})
    servers = [unit for unit in units if unit.endswith(SUFFIX)]
    if not servers:
        return {}
    variables = {
        "command": for_systemd((*needs.warm_command, "--offline")),
        "dead_man": for_systemd((*dead_man.command(needs), "--no-reload")),
        "writable": needs.kept(),
    }
    links = {enabled(unit): Content(link=str(UNIT)) for unit in servers}
    return {UNIT: needs.rendered(TEMPLATE, variables), **links}


def enabled(unit: str) -> PurePosixPath:
    """Return the link by which `unit` (`nginx.service`) wants its instance of ours."""
    return UNITS / f"{unit}.wants" / TEMPLATE.replace("@", f"@{unit[: -len(SUFFIX)]}")
