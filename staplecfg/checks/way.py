"""The delivery that sites get: the one the settings name, or else the server's own choice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.servers.registry import SERVERS

if TYPE_CHECKING:
    from staplecfg.model.facts import Facts
    from staplecfg.model.site import Site
    from staplecfg.servers.interface import Delivery


def chosen(facts: Facts) -> Delivery:
    """Return it as the settings have it; a name that no delivery has counts as none."""
    server = SERVERS[facts.configuration.server]
    named = server.deliveries.get(facts.settings.delivery_to(server.name) or "")
    delivery = named or server.deliveries[server.default_delivery]
    return delivery.bound(facts.settings, facts.configuration)


def another(site: Site, facts: Facts) -> bool:
    """Say whether `site` has the lines of another delivery, and stays with it: none was named."""
    server = SERVERS[facts.configuration.server]
    if facts.settings.delivery_to(server.name) is not None:
        return False
    state_dir = facts.settings.state_dir
    others = [
        each.bound(facts.settings, facts.configuration)
        for name, each in server.deliveries.items()
        if name != server.default_delivery
    ]
    lines = {setting.directive.words for each in site.settings.values() for setting in each}
    recorded = {
        words for one in facts.record.inserted if one.file == site.file for words in one.words
    }
    return any(
        (other.switch in recorded and other.switch in lines)
        or any(other.owned(words, state_dir) is not None for words in lines)
        for other in others
    )
