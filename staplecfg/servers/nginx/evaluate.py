"""Everything nginx reads at start, as it takes effect."""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.model.site import Configuration
from staplecfg.servers.nginx.contexts import contexts, in_effect, placed
from staplecfg.servers.nginx.effect import Sharing, effective, inherited, main_settings
from staplecfg.servers.nginx.includes import read_sources
from staplecfg.servers.nginx.sites import Evaluated, sites_of

if TYPE_CHECKING:
    from staplecfg.model.filesystem import Filesystem
    from staplecfg.model.finding import Finding
    from staplecfg.model.installation import Installation
    from staplecfg.model.settings import Settings
    from staplecfg.model.site import Site


def configuration(
    files: Filesystem, installation: Installation, settings: Settings
) -> Configuration:
    """Return what `installation` reads from `files` at start. See `Dialect.configuration`.

    The two readers are not compared here: that costs more than all the rest,
    and is due on the edited text where there is an edit.
    """
    sources = read_sources(files, installation.config, force=settings.force)
    main = sources.files[files.resolve(installation.config)]
    top = tuple(placed(main.directives, main, sources))
    found = contexts(top, sources)
    sharing = Sharing.of(found, sources)
    sites: list[Site] = []
    findings: list[Finding] = list(sources.findings)
    for context in found:
        outer = inherited(context)
        servers = [
            Evaluated(server.opened, effective(server, outer, sharing))
            for server in context.servers
        ]
        speaking, problems = sites_of(
            servers, server=installation.server, context=context.name, main=installation.config
        )
        sites += speaking
        findings += problems
    return Configuration(
        server=installation.server,
        main=installation.config,
        files=sources.files,
        sites=tuple(sites),
        globals=main_settings(in_effect(top)),
        patterns=sources.patterns,
        findings=tuple(findings),
    )
