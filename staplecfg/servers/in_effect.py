"""Which server reads its stapling directives how."""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.servers.apache import stapling as apache
from staplecfg.servers.nginx import stapling as nginx

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import PurePosixPath

    from staplecfg.model.site import Configuration, Site
    from staplecfg.servers.stapling import Kept, Stapling

READERS: Mapping[str, Callable[[Site, Configuration], Stapling]] = {
    "apache": apache.stapling,
    "nginx": nginx.stapling,
}
DIRECTIVES: Mapping[str, tuple[str, ...]] = {
    "apache": apache.DIRECTIVES,
    "nginx": nginx.DIRECTIVES,
}
KEPT: Mapping[str, Callable[[Site, bytes, Configuration, PurePosixPath], Kept | None]] = {
    "apache": apache.kept,
}


def in_effect(site: Site, configuration: Configuration) -> Stapling:
    """Return what is in effect in `site` about stapling, as its server takes it."""
    return READERS[site.server](site, configuration)


def kept(
    site: Site, leaf: bytes, configuration: Configuration, state_dir: PurePosixPath
) -> Kept | None:
    """Return where its server keeps what it staples for the certificate of DER `leaf`, or None.

    `pki.pem.encoded` has the DER: the server layer knows no certificates.
    """
    reader = KEPT.get(site.server)
    return reader(site, leaf, configuration, state_dir) if reader is not None else None


def about_stapling(site: Site) -> tuple[str, ...]:
    """Return the names of its server's directives that are about stapling."""
    return DIRECTIVES[site.server]
