"""Whether handshakes are worse by what was done: a staple that is missing may be nobody's fault."""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.checks.subjects import chains_of
from staplecfg.model.errors import NotApplied
from staplecfg.model.plan import Decision, Goal
from staplecfg.model.probe import Missing, Served, place, worse
from staplecfg.planning.servable import servable
from staplecfg.planning.state import shared
from staplecfg.servers.in_effect import in_effect

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from staplecfg.model.facts import Facts
    from staplecfg.model.plan import Plan
    from staplecfg.model.probe import Probe
    from staplecfg.model.site import Site
    from staplecfg.model.source import Location
    from staplecfg.servers.interface import Delivery


class Comparison:
    """What `plan`, made of `facts`, may do to handshakes and still not be called worse."""

    def __init__(self, plan: Plan, facts: Facts, deliveries: Mapping[str, Delivery]) -> None:
        """Go by the sites as they were read, before anything was changed."""
        self._plan, self._facts = plan, facts
        self._joint = {name for name, each in deliveries.items() if each.one_response}
        self._sites = {site.location: site for site in facts.configuration.sites}
        self._configured = {
            each.site.location: each for each in plan.sites if each.decision is Decision.CONFIGURED
        }

    def require_no_worse(self, before: Iterable[Probe], after: Iterable[Probe]) -> None:
        """Raise `NotApplied` where a handshake of `after` is worse than it was in `before`."""
        earlier = {place(probe): probe for probe in before}
        counted = [
            probe for probe in after if not self._fairly_missing(earlier.get(place(probe)), probe)
        ]
        found = worse(earlier.values(), counted)
        if found:
            raise NotApplied(
                "handshakes are worse than before:\n" + "\n".join(f"    {line}" for line in found),
                hint="the server's error log says more; --exclude leaves a site as it is",
            )

    def cold(self, probes: Iterable[Probe]) -> frozenset[Location]:
        """Return the sites that may have a staple of the server's own fetching yet to come.

        Only those that would get our lines and no staple with them: what they
        have now would be lost to them, and must be known.
        """
        return frozenset(
            probe.location
            for probe in probes
            if isinstance(probe.verdict, Missing)
            and probe.location in self._configured
            and self._fetches(self._sites[probe.location])
            and not self._has_staple(probe.location)
        )

    def _fairly_missing(self, before: Probe | None, after: Probe) -> bool:
        if not isinstance(after.verdict, Missing):
            return False
        # Taking stapling out ends in handshakes without a staple: that is what was asked for.
        if self._plan.goal is Goal.ABSENT:
            return True
        # Another certificate than before, renewed on disk: to go back would load
        # the new one all the same, with a staple for the old one.
        if before is not None and before.presented != after.presented:
            return True
        site = self._sites[after.location]
        if after.location in self._configured:
            return self._is_ours(site) and not self._has_staple(after.location)
        # nginx throws away what it has fetched by itself at every reload, whoever's it is.
        return self._fetches(site)

    def _has_staple(self, site: Location) -> bool:
        """Say whether there is one for each certificate, by whichever way they are to reach it."""
        each = self._configured[site]
        leaves = [chain.fingerprint for chain in chains_of(each.site, self._facts)]
        if each.fingerprint is None or not leaves:
            return False
        if each.delivery in self._joint:
            return shared(leaves, self._facts) is not None
        return all(servable(leaf, self._facts) is not None for leaf in leaves)

    def _is_ours(self, site: Site) -> bool:
        """Say whether our state was in effect in `site` already: then it is now withdrawn."""
        stapling = in_effect(site, self._facts.configuration)
        state_dir = self._facts.settings.state_dir
        return stapling.withdrawn or (
            stapling.path is not None and state_dir in stapling.path.parents
        )

    def _fetches(self, site: Site) -> bool:
        return in_effect(site, self._facts.configuration).fetches


def warmer(first: Iterable[Probe], second: Iterable[Probe]) -> tuple[Probe, ...]:
    """Return `first` with what `second`, made later, saw a good staple at."""
    served = {place(probe): probe for probe in second if isinstance(probe.verdict, Served)}
    return tuple(served.get(place(probe), probe) for probe in first)
