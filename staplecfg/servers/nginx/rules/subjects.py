"""The sites of nginx the rules are about, and what is known of their certificates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.model.chain import Chain
from staplecfg.model.source import Location
from staplecfg.servers.nginx import delivery_responder
from staplecfg.servers.nginx.delivery_file import DELIVERY
from staplecfg.servers.nginx.stapling import stapling

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import PurePosixPath

    from staplecfg.model.facts import Facts
    from staplecfg.model.installation import Installation
    from staplecfg.model.site import Site
    from staplecfg.servers.interface import Words
    from staplecfg.servers.stapling import Stapling

STREAM_STAPLES_FROM = (1, 27, 2)
"""The first nginx whose stream module knows `ssl_stapling`."""


def can_staple(site: Site, installation: Installation) -> bool:
    """Say whether this nginx can staple for `site` at all; an unknown version is trusted to."""
    if site.context == "mail":
        return False
    return site.context != "stream" or not older(installation, STREAM_STAPLES_FROM)


def older(installation: Installation, version: tuple[int, ...]) -> bool:
    """Say whether the version is known and older than `version`."""
    return bool(installation.version) and installation.version < version


def chains_of(site: Site, facts: Facts) -> tuple[Chain, ...]:
    """Return what could be read of the certificates of `site`, in their order."""
    found = (facts.chains.get(c.path) for c in site.certificates if c.path is not None)
    return tuple(chain for chain in found if isinstance(chain, Chain))


def fetching(facts: Facts) -> Iterator[tuple[Site, Stapling]]:
    """Yield the sites for which nginx itself asks a responder, where there is one to ask."""
    for site in facts.configuration.sites:
        state = stapling(site, facts.configuration)
        if not state.fetches or any(c.path is None for c in site.certificates):
            continue
        if not can_staple(site, facts.installation):
            continue
        if state.responder is not None or any(c.responders for c in chains_of(site, facts)):
            yield site, state


def asks_us(site: Site, facts: Facts) -> bool:
    """Say whether nginx asks the local responder, `staplecfg serve`, about `site`."""
    responder = delivery_responder.of(facts.settings)
    return site.value(delivery_responder.DIRECTIVE) == responder.url


def our_includes(site: Site, state_dir: PurePosixPath) -> Iterator[tuple[Location, Words, str]]:
    """Yield our include lines in the block of `site`: where, the words, the site key in them."""
    for child in site.block.block.children if site.block.block else ():
        key = DELIVERY.owned(child.words, state_dir)
        if key is not None:
            yield Location(site.location.path, child.line), child.words, key
