"""The systemd path unit that sees a certificate replaced."""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.model.change import Content
from staplecfg.model.finding import Finding, Severity
from staplecfg.model.source import Location
from staplecfg.planning.command_line import watched_by_systemd
from staplecfg.planning.schedule import timer
from staplecfg.planning.schedule.needs import UNITS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import PurePosixPath

    from staplecfg.planning.schedule.needs import Needs

SERVICE = UNITS / "staplecfg-changed.service"
PATH = UNITS / "staplecfg-changed.path"
ENABLED = UNITS / "paths.target.wants" / "staplecfg-changed.path"

MOST = 48
"""systemd takes an inotify instance for each path, and Linux gives a user 128 (inotify(7))."""


NOT_WATCHED = "certificates-not-watched"


def files(needs: Needs) -> Mapping[PurePosixPath, Content]:
    """Return the files; none where there is nothing that can be watched."""
    directories = watchable(needs)
    if not directories:
        return {}
    variables = {"directories": directories[:MOST]}
    return {
        SERVICE: timer.service(needs, changed=True),
        PATH: needs.rendered("staplecfg-changed.path", variables),
        ENABLED: Content(link=str(PATH)),
    }


def unwatched(needs: Needs) -> Iterator[Finding]:
    """Yield the finding that there are more directories than systemd can watch."""
    count = len(watchable(needs))
    if count > MOST:
        yield Finding(
            NOT_WATCHED,
            Severity.NOTE,
            Location(needs.facts.configuration.main),
            f"certificates are in {count} directories, and {MOST} of them are watched",
            "call `staplecfg warm` from your ACME client (docs/acme.md); the timer comes hourly",
        )


def watchable(needs: Needs) -> list[str]:
    """Return the certificates' directories, of all targets, as the unit must have them written.

    Not those in state: a unit that watches what it writes never comes to rest.
    """
    state_dir = needs.state_dir
    found = dict.fromkeys(
        directory
        for target in needs.targets
        for directory in target.directories
        if directory != state_dir and state_dir not in directory.parents
    )
    written = (watched_by_systemd(str(directory)) for directory in found)
    return [path for path in written if path is not None]
