"""A certificate demands a staple, and the site is configured to serve none.

What: the certificate carries the TLS feature status_request ("Must-Staple",
RFC 7633), and stapling is not in effect where it is used: it is off, or
staplecfg has withdrawn an expired staple and has had no new one since.

Why: a client that honours the demand ends the handshake when no staple comes
with it; Firefox shows MOZILLA_PKIX_ERROR_REQUIRED_TLS_FEATURE_MISSING. Servers
do not look at the demand: `nginx -t` and `apachectl -t` are content.

Fix: run `staplecfg apply`. It fetches a staple first, so that the very first
handshake has one. What servers fetch themselves comes late: see lazy-gap for
nginx, fetch-during-handshake for Apache.

Problematic, for nginx:

    ssl_certificate /etc/ssl/must-staple.pem;

Correct, for nginx:

    ssl_certificate /etc/ssl/must-staple.pem;
    ssl_stapling on;
    ssl_stapling_verify on;
    include /var/lib/staplecfg/nginx/SITE-KEY/*.conf;
"""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING

from staplecfg.checks.subjects import presented
from staplecfg.model.finding import Severity
from staplecfg.model.rule import Rule
from staplecfg.servers.in_effect import in_effect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding for each site and certificate whose demand could be met and is not."""
    for site, certificate, chain in presented(facts):
        if not (chain.must_staple and chain.responders):
            continue
        stapling = in_effect(site, facts.configuration)
        problem = f'certificate "{certificate.text}" demands a staple (Must-Staple), '
        if stapling.on and stapling.withdrawn:
            yield RULE.finding(
                certificate.location, f"{problem}and there is none", "run staplecfg warm", site
            )
        elif stapling.decided_off is not None:
            at = stapling.decided_off.location
            name = stapling.decided_off.directive.name
            hint = f"run staplecfg apply --replace {name} --site {quote(site.title)}"
            yield RULE.finding(certificate.location, f"{problem}and {at} turns it off", hint, site)
        elif not stapling.on:
            yield RULE.finding(
                certificate.location, f"{problem}and stapling is off", "run staplecfg apply", site
            )


RULE = Rule("must-staple-unmet", Severity.ERROR, __doc__ or "", check)
