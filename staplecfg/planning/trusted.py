"""What a server that verifies responses itself must believe: intermediates and root, per site.

A function of certificates alone, never of a response. The system's bundle is
never named: nginx before 1.27.2 needs 856 MB for it at 1,000 sites.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from staplecfg.checks.subjects import chains_of
from staplecfg.model.change import Change, Content, Kind
from staplecfg.model.plan import Decision, Goal
from staplecfg.pki.pem import written
from staplecfg.pki.trust import Trusted, trust
from staplecfg.planning.state import READABLE, present

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from staplecfg.model.chain import Chain
    from staplecfg.model.facts import Facts
    from staplecfg.model.plan import SitePlan
    from staplecfg.model.site import Site
    from staplecfg.planning.ways import Ways
    from staplecfg.servers.interface import Delivery


@dataclass(frozen=True, slots=True)
class Believed:
    """`paths` is all that is in use, `changes` what must be written for that."""

    changes: tuple[Change, ...]
    paths: frozenset[PurePosixPath]


def named(
    site: Site, chains: Sequence[Chain], delivery: Delivery, facts: Facts
) -> PurePosixPath | None:
    """Return the file that `site` is to name, or None: it may not, or its root is not known."""
    path = delivery.trusts(site, facts)
    return path if path is not None and _content(chains, facts) is not None else None


def believed(sites: Iterable[SitePlan], facts: Facts, ways: Ways, goal: Goal) -> Believed:
    """Return the files that our lines in `sites` name afterwards, and how they must change."""
    deliveries = {each.name: each for each in ways.every}
    wanted: dict[PurePosixPath, Content | None] = {}
    for each in sites:
        delivery = deliveries.get(each.delivery or "")
        if each.key is None or delivery is None:
            continue
        path = delivery.trusts(each.site, facts)
        content = None if path is None else _content(chains_of(each.site, facts), facts)
        if goal is Goal.PRESENT and each.decision is Decision.CONFIGURED:
            wanted |= {path: content} if path is not None and content is not None else {}
            continue
        for standing in _standing(each.site, ways, facts.settings.state_dir):
            fresh = standing == path and goal is Goal.STATE_ONLY
            wanted[standing] = content if fresh else wanted.get(standing)
    changes = (
        Change(facts.files.resolve(path), Kind.CONFIG, before, content)
        for path, content in wanted.items()
        if content is not None and not content.same(before := present(path, facts.files))
    )
    return Believed(tuple(changes), frozenset(wanted))


def _standing(site: Site, ways: Ways, state_dir: PurePosixPath) -> Iterator[PurePosixPath]:
    """Yield every such file that a line of ours in effect in `site` names."""
    for each in (setting for group in site.settings.values() for setting in group):
        owner = ways.owner(each.directive.words, state_dir)
        if owner is not None and not owner[0].from_store:
            yield PurePosixPath(each.args[0])


def _content(chains: Sequence[Chain], facts: Facts) -> Content | None:
    """Return the intermediates and roots of `chains`; None where the way to a root is not known."""
    found = []
    for chain in chains:
        outcome = trust(chain, facts.roots, facts.now)
        if not isinstance(outcome, Trusted):
            return None
        found += [*chain.others, outcome.root]
    if not found:
        return None
    return Content(written(dict.fromkeys(found)), mode=READABLE)
