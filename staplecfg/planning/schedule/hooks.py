"""The hooks of ACME clients that have a directory for them: certbot."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from staplecfg.planning.command_line import for_shell
from staplecfg.planning.schedule.needs import EXECUTABLE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from staplecfg.model.change import Content
    from staplecfg.planning.schedule.needs import Needs

DIRECTORY = PurePosixPath("/etc/letsencrypt/renewal-hooks/deploy")
HOOK = DIRECTORY / "00-staplecfg"
"""certbot runs the hooks in the order of their names."""


def files(needs: Needs) -> Mapping[PurePosixPath, Content]:
    """Return certbot's hook where certbot keeps hooks; other clients are told what to call."""
    if not needs.facts.files.exists(DIRECTORY):
        return {}
    variables = {"command": for_shell(needs.warm_command)}
    return {HOOK: needs.rendered("certbot-hook", variables, EXECUTABLE)}
