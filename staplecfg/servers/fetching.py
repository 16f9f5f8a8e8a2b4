"""Which responders a server asks by itself, and by which names it must find them."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from staplecfg.model.chain import Chain
from staplecfg.servers.in_effect import in_effect

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import PurePosixPath

    from staplecfg.model.chain import NoChain
    from staplecfg.model.site import Configuration, Site


def fetched_urls(
    site: Site, configuration: Configuration, chains: Mapping[PurePosixPath, Chain | NoChain]
) -> tuple[str, ...]:
    """Return the URLs `site`'s server asks: the configured one, or each certificate's first."""
    stapling = in_effect(site, configuration)
    if not stapling.fetches or any(cert.path is None for cert in site.certificates):
        return ()
    if stapling.responder is not None:
        return (stapling.responder.args[0],)
    found = (chains.get(cert.path) for cert in site.certificates if cert.path is not None)
    return tuple(
        dict.fromkeys(c.responders[0] for c in found if isinstance(c, Chain) and c.responders)
    )


def fetched_hosts(
    site: Site, configuration: Configuration, chains: Mapping[PurePosixPath, Chain | NoChain]
) -> tuple[str, ...]:
    """Return the names, not the addresses, among the hosts of `fetched_urls`."""
    hosts = (_host(url) for url in fetched_urls(site, configuration, chains))
    return tuple(dict.fromkeys(host for host in hosts if host and not _is_address(host)))


def _host(url: str) -> str:
    """Return the host of an http URL; "" for what nginx would not fetch anyway."""
    if not url.lower().startswith("http://") or url.lower().startswith("http://unix:"):
        return ""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
