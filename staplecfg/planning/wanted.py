"""Which certificates a goal needs staples for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.checks.subjects import selected
from staplecfg.model.chain import Chain
from staplecfg.model.plan import Goal
from staplecfg.planning.lines import our_lines

if TYPE_CHECKING:
    from staplecfg.model.facts import Facts
    from staplecfg.model.site import Site
    from staplecfg.servers.interface import Delivery, Server


def wanted(facts: Facts, server: Server, goal: Goal) -> tuple[Chain, ...]:
    """Return the chains to have staples for: of sites with our lines, or that may get them.

    One whose issuer is not known is among them, for asking may find it.
    """
    delivery = server.deliveries[facts.settings.delivery or server.default_delivery]
    found: dict[str, Chain] = {}
    for site in facts.configuration.sites:
        if _ours(site, facts, delivery) or (
            goal is Goal.PRESENT and _may_become_ours(site, facts, delivery)
        ):
            found |= {chain.fingerprint: chain for chain in _chains(site, facts)}
    return tuple(found.values())


def _ours(site: Site, facts: Facts, delivery: Delivery) -> bool:
    lines = our_lines(site, facts.configuration, delivery, facts.settings.state_dir)
    return bool(lines)


def _may_become_ours(site: Site, facts: Facts, delivery: Delivery) -> bool:
    """Say whether nothing but a conflict in its block could keep `site` from being configured."""
    if not selected(site, facts.settings) or site.value("ssl_stapling") == "off":
        return False
    return delivery.misfit(site, _chains(site, facts), facts) is None


def _chains(site: Site, facts: Facts) -> tuple[Chain, ...]:
    found = (facts.chains.get(one.path) for one in site.certificates if one.path is not None)
    return tuple(chain for chain in found if isinstance(chain, Chain))
