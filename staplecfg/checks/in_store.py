"""Which sites staplecfg has its hand in, and what its store holds for their certificates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.checks.subjects import each_certificate, presented
from staplecfg.servers.in_effect import in_effect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from staplecfg.model.chain import Chain
    from staplecfg.model.facts import Facts
    from staplecfg.model.site import Certificate, Site
    from staplecfg.model.staple import Staple


def ours(site: Site, facts: Facts) -> bool:
    """Say whether staplecfg configured `site`: its state is in effect there, or it recorded so."""
    stapling = in_effect(site, facts.configuration)
    if stapling.withdrawn:
        return True
    if stapling.path is not None and facts.settings.state_dir in stapling.path.parents:
        return True
    stand = {child.words for child in site.block.block.children} if site.block.block else set()
    return any(
        inserted.file == site.file and stand.issuperset(inserted.words)
        for inserted in facts.record.inserted
        if inserted.words
    )


def fetches_itself(site: Site, facts: Facts) -> bool:
    """Say whether the server of `site` fetches its staples from others: the store is no matter.

    Not where its block names state of ours that is only missing just now, nor
    where a module keeps what we put into its own store.
    """
    stapling = in_effect(site, facts.configuration)
    if not stapling.fetches or stapling.responder is not None or stapling.module is not None:
        return False
    below = f"{facts.settings.state_dir}/"
    children = site.block.block.children if site.block.block else ()
    return not any(arg.startswith(below) for child in children for arg in child.args)


def without_staple(facts: Facts) -> Iterator[tuple[Site, Certificate, Chain]]:
    """Yield each certificate once that a site of ours presents and the store has nothing for.

    Not where the server is to fetch by itself (the delivery `live`): it never looks there.
    """
    seen = set()
    for site, certificate, chain in presented(facts):
        stored = facts.stored.get(chain.fingerprint)
        missing = stored is None or (stored.staple is None and stored.problem is None)
        if not missing or not chain.responders or chain.fingerprint in seen:
            continue
        if ours(site, facts) and not fetches_itself(site, facts):
            seen.add(chain.fingerprint)
            yield site, certificate, chain


def with_staple(facts: Facts) -> Iterator[tuple[Site, Certificate, Chain, Staple]]:
    """Yield each certificate once that the store holds a staple for, expired ones among them."""
    for site, certificate, chain in each_certificate(facts):
        stored = facts.stored.get(chain.fingerprint)
        if stored is not None and stored.staple is not None:
            yield site, certificate, chain, stored.staple


def expiring(staple: Staple, facts: Facts) -> bool:
    """Say whether less than a quarter of the staple's life is left."""
    return staple.share_used(facts.now) > MOST_USED


MOST_USED = 0.75
"""Half a life passed while nothing renewed it: by now somebody should look."""
