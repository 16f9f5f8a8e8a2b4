"""What a goal comes to for the configuration, before state and schedule follow from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from staplecfg.model.chain import Chain
from staplecfg.model.finding import Finding, Severity
from staplecfg.model.site import Origin
from staplecfg.planning.lines import in_state, our_lines, switched
from staplecfg.planning.ways import Use

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import PurePosixPath

    from staplecfg.model.change import Change
    from staplecfg.model.facts import Facts, Record
    from staplecfg.model.plan import SitePlan
    from staplecfg.model.site import Site
    from staplecfg.planning.lines import Line
    from staplecfg.planning.ways import Ways
    from staplecfg.servers.interface import Delivery

OTHER_CERTIFICATES = "line-of-other-certificates"

Leaves: TypeAlias = "tuple[str, ...]"
"""The fingerprints of all certificates that a site may present, in their order."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """`keys` is the state in use afterwards, with the leaves that one response must be about."""

    edits: tuple[Change, ...]
    """Everything that the server reads in `/etc`, in the order it must be made."""
    findings: tuple[Finding, ...]
    sites: tuple[SitePlan, ...]
    keys: Mapping[Use, Leaves | None]
    record: Record
    taken: Mapping[Use, frozenset[str]] = field(default_factory=dict)
    """The directives that stand beside our line, which its state must not repeat."""


def lines_in(site: Site, facts: Facts, ways: Ways) -> tuple[Line, ...]:
    """Return the lines of ours in effect in `site`."""
    found = our_lines(site, facts.configuration, ways, facts.settings.state_dir)
    return found or tuple(switched(site, ways))


def troubled(facts: Facts) -> bool:
    """Say whether some file of the configuration could not be read or understood."""
    return any(finding.severity is Severity.ERROR for finding in facts.configuration.findings)


def delivery_of(site: Site, facts: Facts, ways: Ways) -> Delivery:
    """Return the delivery that `site` is to have: the one asked for, or what it has already."""
    standing = next((line.delivery for line in lines_in(site, facts, ways)), None)
    return ways.of(standing)


def leaves(site: Site, facts: Facts) -> Leaves | None:
    """Return whose staple `site` may serve: one about all of its certificates, or nobody's."""
    chains = [facts.chains.get(one.path) for one in site.certificates if one.path is not None]
    found = tuple(chain.fingerprint for chain in chains if isinstance(chain, Chain))
    return found if found and len(found) == len(site.certificates) else None


def fingerprint(site: Site, facts: Facts) -> str | None:
    """Return the leaf that `site` is known by: the first of its certificates, if all are known."""
    found = leaves(site, facts)
    return found[0] if found else None


def keys_in_use(uses: Iterable[tuple[Site, Use]], facts: Facts) -> dict[Use, Leaves | None]:
    """Return all state that some site reads; withdrawn where it is not that site's own.

    A line that was right until somebody gave the block another certificate would
    hand out a stranger's staple, and clients refuse that harder than none.
    """
    keys: dict[Use, Leaves | None] = {}
    for site, use in uses:
        known = leaves(site, facts) if use.delivery.key(site) == use.key else None
        keys[use] = known if keys.get(use, known) == known else None
    return keys


def uses(lines: Iterable[Line]) -> Iterator[Use]:
    """Yield the state that `lines` make a server read, or a responder of ours answer from."""
    for line in lines:
        if line.delivery.from_store:
            yield Use(line.delivery, line.key)


def strangers(site: Site, lines: Iterable[Line]) -> Iterable[Finding]:
    """Yield a finding for each line in effect in `site` that is not for its certificates."""
    for line in lines:
        if line.key != line.delivery.key(site):
            yield Finding(
                OTHER_CERTIFICATES,
                Severity.WARNING,
                line.location,
                "this line of staplecfg's is for other certificates than the site has;"
                " no staple is served by it",
                "run staplecfg apply",
                site.title,
            )


def collisions(uses: Iterable[tuple[Site, Use]], facts: Facts) -> Iterable[Finding]:
    """Yield a finding for each site whose key is, by chance, that of other certificates too."""
    first: dict[Use, Site] = {}
    for site, use in uses:
        other = first.setdefault(use, site)
        keys = {use.key, use.delivery.key(site), use.delivery.key(other)}
        if len(keys) == 1 and leaves(site, facts) != leaves(other, facts):
            yield Finding(
                OTHER_CERTIFICATES,
                Severity.WARNING,
                site.location,
                f'the site key "{use.key}" is also that of {other.title}, which has another'
                " certificate; no staple is served to either",
                "give one of the two certificate files another name",
                site.title,
            )


def taken_beside(
    uses: Iterable[tuple[Site, Use]], state_dir: PurePosixPath
) -> dict[Use, frozenset[str]]:
    """Return, by its use, the directives that stand in a block that reads its state.

    nginx refuses most directives where they stand twice, and the snippet stands in
    the block too. What is inherited is not in the way.
    """
    found: dict[Use, frozenset[str]] = {}
    for site, use in uses:
        beside = {
            name
            for name, settings in site.settings.items()
            if any(
                each.origin is not Origin.INHERITED and not in_state(each, state_dir)
                for each in settings
            )
        }
        found[use] = found.get(use, frozenset()) | beside
    return found
