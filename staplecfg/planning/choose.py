"""Which sites are ours to configure, and why the others are not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from staplecfg.checks.subjects import selected, self_signed
from staplecfg.model.chain import Chain, NoChain
from staplecfg.model.finding import Severity
from staplecfg.model.plan import Decision

if TYPE_CHECKING:
    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding
    from staplecfg.model.settings import Settings
    from staplecfg.model.site import Site
    from staplecfg.servers.interface import Delivery


@dataclass(frozen=True, slots=True)
class Chosen:
    """A site to configure, and the chains of its certificates, in their order."""

    site: Site
    chains: tuple[Chain, ...]


@dataclass(frozen=True, slots=True)
class LeftAlone:
    """Why a site is not; `finding` where no rule of `checks` says so already."""

    site: Site
    decision: Decision
    reason: str
    finding: Finding | None = None


Choice: TypeAlias = "Chosen | LeftAlone"


def choose(site: Site, facts: Facts, delivery: Delivery) -> Choice:
    """Say whether `site` is to staple through `delivery`."""
    if not selected(site, facts.settings):
        return LeftAlone(site, Decision.SKIPPED, "not selected")
    found = [facts.chains.get(one.path) for one in site.certificates if one.path is not None]
    chains = tuple(chain for chain in found if isinstance(chain, Chain))
    misfit = delivery.misfit(site, chains, facts)
    if misfit is not None:
        decided = misfit.severity is Severity.NOTE
        decision = Decision.SKIPPED if decided else Decision.REFUSED
        return LeftAlone(site, decision, misfit.problem, misfit)
    for chain in found:
        if not isinstance(chain, Chain):
            return LeftAlone(site, Decision.REFUSED, _unreadable(chain))
    for chain in chains:
        unfit = _unfit(chain, facts)
        if unfit is not None:
            return LeftAlone(site, Decision.SKIPPED, unfit)
    return Chosen(site, chains)


def _unreadable(chain: NoChain | None) -> str:
    if chain is None:
        return "its certificate was not read"
    return f"its certificate {chain.path} cannot be used: {chain.problem}"


def _unfit(chain: Chain, facts: Facts) -> str | None:
    """Return why nobody will ever answer for `chain`, or why no answer could be believed."""
    reasons = (
        (facts.now >= chain.not_after, "has expired"),
        (facts.now < chain.not_before, "is not valid yet"),
        (self_signed(chain), "is self-signed"),
        (not chain.responders, "names no OCSP responder"),
        (not askable(chain, facts.settings), "has no responder that the settings let us ask"),
        (chain.issuer is None, "comes without its issuer"),
    )
    problem = next((problem for unfit, problem in reasons if unfit), None)
    return None if problem is None else f"its certificate {chain.path} {problem}"


def askable(chain: Chain, settings: Settings) -> bool:
    """Say whether any responder is left to ask once `responders.override` has spoken."""
    override = settings.responders.override or {}
    return any(override.get(url, url) for url in chain.responders)
