"""A site could staple and does not.

What: the block presents a certificate that names an OCSP responder, and there
is no `ssl_stapling` in effect: it is off unless switched on.

Why: each visitor's client asks the responder itself, which is slow, tells the
authority who visits whom, and fails when the responder is out; or it does not
ask at all and would not notice a revoked certificate (RFC 6066, 8).

Fix: see what would be written, then have it written:

    staplecfg diff
    staplecfg apply

Correct:

    ssl_stapling on;
    ssl_stapling_verify on;
    include /var/lib/staplecfg/nginx/SITE-KEY/*.conf;
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.model.finding import Severity
from staplecfg.model.rule import Rule
from staplecfg.servers.nginx.delivery_file import DELIVERY
from staplecfg.servers.nginx.rules.subjects import can_staple, chains_of, usable
from staplecfg.servers.nginx.stapling import stapling

if TYPE_CHECKING:
    from collections.abc import Iterator

    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding for each site with a usable certificate and no word about stapling."""
    for site in facts.configuration.sites:
        state = stapling(site, facts.configuration)
        if state.on or state.switch is not None or not can_staple(site, facts.installation):
            continue
        chains = chains_of(site, facts)
        # What keeps `apply` from helping is delivery-misfit's, or nobody's fault.
        if facts.settings.delivery in {None, DELIVERY.name} and DELIVERY.misfit(
            site, chains, facts
        ):
            continue
        if any(usable(chain, facts) for chain in chains):
            problem = f"{site.title} could staple and does not"
            yield RULE.finding(site.location, problem, "run staplecfg apply", site)


RULE = Rule("stapling-off", Severity.WARNING, __doc__ or "", check)
