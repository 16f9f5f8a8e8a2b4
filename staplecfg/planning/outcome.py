"""What a goal comes to for the configuration, before state and schedule follow from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from staplecfg.model.chain import Chain
from staplecfg.model.finding import Finding, Severity
from staplecfg.model.site import Origin
from staplecfg.planning.lines import in_state, our_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import PurePosixPath

    from staplecfg.model.change import Change
    from staplecfg.model.facts import Facts, Record
    from staplecfg.model.plan import SitePlan
    from staplecfg.model.site import Site
    from staplecfg.planning.lines import Line
    from staplecfg.servers.interface import Delivery

OTHER_CERTIFICATES = "line-of-other-certificates"


@dataclass(frozen=True, slots=True)
class Outcome:
    """`keys` are the site keys in use afterwards, with the leaf each may be served for."""

    edits: tuple[Change, ...]
    findings: tuple[Finding, ...]
    sites: tuple[SitePlan, ...]
    keys: Mapping[str, str | None]
    record: Record
    taken: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """By site key: the directives that stand beside our line, which state must not repeat."""


def lines_in(site: Site, facts: Facts, delivery: Delivery) -> tuple[Line, ...]:
    """Return the lines of ours in effect in `site`."""
    return our_lines(site, facts.configuration, delivery, facts.settings.state_dir)


def fingerprint(site: Site, facts: Facts) -> str | None:
    """Return whose staple `site` may serve: of its one certificate, or nobody's."""
    if len(site.certificates) != 1 or site.certificates[0].path is None:
        return None
    chain = facts.chains.get(site.certificates[0].path)
    return chain.fingerprint if isinstance(chain, Chain) else None


def keys_in_use(
    uses: Iterable[tuple[Site, str]], facts: Facts, delivery: Delivery
) -> dict[str, str | None]:
    """Return every key that some site reads; withdrawn where it is not that site's own.

    A line that was right until somebody gave the block another certificate would
    hand out a stranger's staple, and clients refuse that harder than none.
    """
    keys: dict[str, str | None] = {}
    for site, key in uses:
        leaf = fingerprint(site, facts) if delivery.key(site) == key else None
        keys[key] = leaf if keys.get(key, leaf) == leaf else None
    return keys


def strangers(site: Site, lines: Iterable[Line], delivery: Delivery) -> Iterable[Finding]:
    """Yield a finding for each line in effect in `site` that is not for its certificates."""
    for line in lines:
        if line.key != delivery.key(site):
            yield Finding(
                OTHER_CERTIFICATES,
                Severity.WARNING,
                line.location,
                "this line of staplecfg's is for other certificates than the site has;"
                " no staple is served by it",
                "run staplecfg apply",
                site.title,
            )


def collisions(
    uses: Iterable[tuple[Site, str]], facts: Facts, delivery: Delivery
) -> Iterable[Finding]:
    """Yield a finding for each site whose key is, by chance, that of other certificates too."""
    first: dict[str, Site] = {}
    for site, key in uses:
        other = first.setdefault(key, site)
        if delivery.key(site) == delivery.key(other) == key and fingerprint(
            site, facts
        ) != fingerprint(other, facts):
            yield Finding(
                OTHER_CERTIFICATES,
                Severity.WARNING,
                site.location,
                f'the site key "{key}" is also that of {other.title}, which has another'
                " certificate; no staple is served to either",
                "give one of the two certificate files another name",
                site.title,
            )


def taken_beside(
    uses: Iterable[tuple[Site, str]], state_dir: PurePosixPath
) -> dict[str, frozenset[str]]:
    """Return, by site key, the directives that stand in a block that reads its state.

    nginx refuses most directives where they stand twice, and the snippet stands in
    the block too. What is inherited is not in the way.
    """
    found: dict[str, frozenset[str]] = {}
    for site, key in uses:
        beside = {
            name
            for name, settings in site.settings.items()
            if any(
                each.origin is not Origin.INHERITED and not in_state(each, state_dir)
                for each in settings
            )
        }
        found[key] = found.get(key, frozenset()) | beside
    return found
