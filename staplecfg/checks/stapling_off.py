"""A site could staple and does not.

What: the site presents a certificate that names an OCSP responder, and nothing
in effect there switches stapling on: it is off unless switched on (nginx
`ssl_stapling`, Apache `SSLUseStapling`).

Why: each visitor's client asks the responder itself, which is slow, tells the
authority who visits whom, and fails when the responder is out; or it does not
ask at all and would not notice a revoked certificate (RFC 6066, 8).

Fix: see what would be written, then have it written:

    staplecfg diff
    staplecfg apply

Correct, for nginx:

    ssl_stapling on;
    ssl_stapling_verify on;
    include /var/lib/staplecfg/nginx/SITE-KEY/*.conf;

Correct, for Apache:

    SSLUseStapling on
    SSLStaplingForceURL http://127.0.0.1:889/
    SSLStaplingReturnResponderErrors off
    SSLStaplingFakeTryLater off
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.checks.subjects import chains_of, usable
from staplecfg.checks.way import chosen
from staplecfg.model.finding import Severity
from staplecfg.model.rule import Rule
from staplecfg.servers.in_effect import in_effect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding for each site with a usable certificate and no word about stapling."""
    for site in facts.configuration.sites:
        state = in_effect(site, facts.configuration)
        chains = chains_of(site, facts)
        if state.on or state.switch is not None:
            continue
        # What keeps `apply` from helping is delivery-misfit's, or nobody's fault.
        if not any(usable(chain, facts) for chain in chains) or chosen(facts).misfit(
            site, chains, facts
        ):
            continue
        problem = f"{site.title} could staple and does not"
        yield RULE.finding(site.location, problem, "run staplecfg apply", site)


RULE = Rule("stapling-off", Severity.WARNING, __doc__ or "", check)
