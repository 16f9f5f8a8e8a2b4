"""Which server reads its stapling directives how."""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.servers.nginx.stapling import stapling as nginx

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from staplecfg.model.site import Configuration, Site
    from staplecfg.servers.stapling import Stapling

READERS: Mapping[str, Callable[[Site, Configuration], Stapling]] = {"nginx": nginx}


def in_effect(site: Site, configuration: Configuration) -> Stapling:
    """Return what is in effect in `site` about stapling, as its server takes it."""
    return READERS[site.server](site, configuration)
