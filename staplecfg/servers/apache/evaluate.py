"""Everything httpd reads at start, as it takes effect."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from staplecfg.model.site import Configuration
from staplecfg.servers.apache import effect
from staplecfg.servers.apache.addresses import sockets
from staplecfg.servers.apache.generated import generated
from staplecfg.servers.apache.sites import Server, sites_of
from staplecfg.servers.apache.sources import Sources
from staplecfg.servers.apache.state import State
from staplecfg.servers.apache.walk import Walk

if TYPE_CHECKING:
    from staplecfg.model.filesystem import Filesystem
    from staplecfg.model.finding import Finding
    from staplecfg.model.installation import Installation
    from staplecfg.model.settings import Settings
    from staplecfg.servers.apache.expansion import Met
    from staplecfg.servers.apache.sources import Text


@dataclass(frozen=True, slots=True)
class Reading:
    """A configuration followed to its end: what takes effect, and how it was found."""

    main: Text
    top: tuple[Met, ...]
    walk: Walk
    state: State


def read(files: Filesystem, installation: Installation) -> Reading:
    """Follow the configuration of `installation` from its main file on.

    Raises `Unreadable` or `NotUnderstood` where the main file is unusable.
    """
    sources = Sources(files)
    state = State.of(files, installation)
    walk = Walk(sources, state)
    main = sources.main(installation.config)
    return Reading(main, tuple(walk.run(main)), walk, state)


def configuration(
    files: Filesystem, installation: Installation, settings: Settings
) -> Configuration:
    """Return what `installation` reads from `files` at start. See `Dialect.configuration`."""
    reading = read(files, installation)
    walk = reading.walk
    server_wide = effect.globals_of(reading.top, reading.main)
    opened, findings = sockets(server_wide.get("Listen", ()))
    server = Server(installation.server, opened, reading.state.server_root)
    return Configuration(
        server=installation.server,
        main=installation.config,
        files={
            file: walk.sources.source(text, walk.trouble.refusal(file) or _writer(text, settings))
            for file, text in walk.sources.texts.items()
        },
        sites=sites_of(reading.top, server_wide, server),
        globals=server_wide,
        patterns=tuple(walk.includes.patterns),
        findings=(*walk.trouble.findings, *findings),
    )


def _writer(text: Text, settings: Settings) -> Finding | None:
    """Return why `text` is left to whoever writes it anew; `--force` lifts that."""
    if settings.force:
        return None
    return generated(text.path, text.file, text.data, text.directives)
