"""A site could staple, but not in the way that is chosen.

What: the certificate has a responder, and something in the block keeps the
chosen delivery from working: two certificates that no one response can be about
(of different issuers or responders) and one staple file, a certificate named by
a variable, compression of certificates.

Why: half a set of lines is worse than none, so staplecfg configures a block
wholly or not at all, and says what is in the way.

Fix: change what is in the way, or choose another delivery. For two certificates
in one block nginx can ask a local responder:

    staplecfg apply --delivery responder --site shop.example
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.model.finding import Severity
from staplecfg.model.rule import Rule
from staplecfg.servers.nginx import fit
from staplecfg.servers.nginx.delivery_file import DELIVERY
from staplecfg.servers.nginx.rules.subjects import asks_us, chains_of, usable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding for each site that could staple if the delivery it gets fitted it."""
    for site in facts.configuration.sites:
        chains = chains_of(site, facts)
        if facts.settings.delivery not in {None, DELIVERY.name} or asks_us(site, facts):
            continue
        if not any(usable(chain, facts) for chain in chains):
            continue
        found = DELIVERY.misfit(site, chains, facts)
        if found is not None and found.rule == fit.MISFIT and found.severity is RULE.severity:
            yield RULE.finding(found.location, found.problem, found.hint, site)


RULE = Rule(fit.MISFIT, Severity.WARNING, __doc__ or "", check)
