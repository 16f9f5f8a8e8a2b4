"""Which certificates a goal needs staples for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.checks import subjects
from staplecfg.model.plan import Goal
from staplecfg.planning.outcome import delivery_of, lines_in
from staplecfg.planning.ways import ways
from staplecfg.servers.in_effect import in_effect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from staplecfg.model.chain import Chain
    from staplecfg.model.facts import Facts
    from staplecfg.model.site import Site
    from staplecfg.planning.ways import Ways
    from staplecfg.servers.interface import Server


def wanted(facts: Facts, server: Server, goal: Goal) -> tuple[Chain, ...]:
    """Return the chains to have staples for: of sites with our lines, or that may get them.

    One whose issuer is not known is among them, for asking may find it.
    """
    found = [
        chain for site in _sites(facts, server, goal) for chain in subjects.chains_of(site, facts)
    ]
    return tuple({chain.fingerprint: chain for chain in found}.values())


def wanted_together(facts: Facts, server: Server, goal: Goal) -> tuple[tuple[Chain, ...], ...]:
    """Return the groups of chains that need one response about all of them.

    A server that sends one response with whichever certificate it presents has
    no use for another. Groups that share a certificate become one.
    """
    groups: list[dict[str, Chain]] = []
    for block in in_one_block(facts, server, goal):
        chains = {chain.fingerprint: chain for chain in block}
        touching = [group for group in groups if group.keys() & chains.keys()]
        groups = [group for group in groups if group not in touching]
        groups.append({k: v for group in (*touching, chains) for k, v in group.items()})
    return tuple(tuple(group.values()) for group in groups)


def in_one_block(facts: Facts, server: Server, goal: Goal) -> tuple[tuple[Chain, ...], ...]:
    """Return the groups of chains of which a block needs one response, as the blocks have them."""
    every = ways(facts, server)
    found: dict[frozenset[str], tuple[Chain, ...]] = {}
    for site in _sites(facts, server, goal):
        chains = {chain.fingerprint: chain for chain in subjects.chains_of(site, facts)}
        if len(chains) > 1 and delivery_of(site, facts, every).one_response:
            found.setdefault(frozenset(chains), tuple(chains.values()))
    return tuple(found.values())


def _sites(facts: Facts, server: Server, goal: Goal) -> Iterator[Site]:
    every = ways(facts, server)
    for site in facts.configuration.sites:
        if _ours(site, facts, every) or (
            goal is Goal.PRESENT and _may_become_ours(site, facts, every)
        ):
            yield site


def _ours(site: Site, facts: Facts, every: Ways) -> bool:
    return any(line.delivery.from_store for line in lines_in(site, facts, every))


def _may_become_ours(site: Site, facts: Facts, every: Ways) -> bool:
    """Say whether nothing but a conflict in its block could keep `site` from being configured."""
    if not subjects.selected(site, facts.settings):
        return False
    if in_effect(site, facts.configuration).decided_off is not None:
        return False
    delivery = delivery_of(site, facts, every)
    return (
        delivery.from_store
        and delivery.misfit(site, subjects.chains_of(site, facts), facts) is None
    )
