"""Which sites are told to ask the local responder, `staplecfg serve`."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from staplecfg.servers import local_responder
from staplecfg.servers.in_effect import in_effect

if TYPE_CHECKING:
    from staplecfg.model.facts import Facts
    from staplecfg.model.site import Setting, Site


def asked_locally(site: Site, facts: Facts) -> Setting | None:
    """Return the directive that sends the server of `site` to the local responder, or None.

    It names the address of the settings, or stands there by our own hand: where the
    address was changed since, servers ask the old one until the next `apply`. A
    responder that anybody else names is none of ours, nor is one on another machine.
    """
    state = in_effect(site, facts.configuration)
    if not state.fetches or state.responder is None:
        return None
    url = state.responder.args[0]
    if not _on_loopback(url):
        return None
    if url == local_responder.url(facts.settings.serve.listen):
        return state.responder
    words = state.responder.directive.words
    by_us = any(words in each.words for each in facts.record.inserted)
    return state.responder if by_us else None


def address(url: str) -> str:
    """Return where the responder of `url` listens, as `serve.listen` says it: `127.0.0.1:889`."""
    return urlsplit(url).netloc


def _on_loopback(url: str) -> bool:
    try:
        return ip_address(urlsplit(url).hostname or "").is_loopback
    except ValueError:
        return False
