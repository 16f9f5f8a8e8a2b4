"""A site could staple, but not in the way that is chosen.

What: the certificate has a responder, and something in the site keeps the chosen
delivery from working. nginx: two certificates that no one response can be about
(of different issuers or responders) and one staple file, a certificate named by
a variable, compression of certificates. Apache: a proxy for OCSP that stands
before the local responder too, or a directive that is needed with another value.

Why: half a set of lines is worse than none, so staplecfg configures a site
wholly or not at all, and says what is in the way.

Fix: change what is in the way, or choose another delivery. For two certificates
in one block nginx can ask a local responder:

    staplecfg apply --delivery responder --site shop.example
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.checks.subjects import chains_of, usable
from staplecfg.checks.way import another, chosen
from staplecfg.model.finding import Severity
from staplecfg.model.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding

ID = "delivery-misfit"


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding for each site that could staple if the delivery it gets fitted it."""
    delivery = chosen(facts)
    for site in facts.configuration.sites:
        chains = chains_of(site, facts)
        if another(site, facts) or not any(usable(chain, facts) for chain in chains):
            continue
        found = delivery.misfit(site, chains, facts)
        if found is not None and found.rule == ID and found.severity is RULE.severity:
            yield RULE.finding(found.location, found.problem, found.hint, site)


RULE = Rule(ID, Severity.WARNING, __doc__ or "", check)
