"""nginx cannot staple for mail.

What: a server block of `mail` presents a certificate that names a responder.

Why: the stapling directives exist for `http` (1.3.7) and `stream` (1.27.2), not
for `mail`; there nginx does not start with them. Few mail clients ask for
staples, but a certificate that demands one (Must-Staple) does not belong here.

Fix: nothing, or put TLS in front of the mail server in a `stream` block, which
can staple since nginx 1.27.2. Do not use Must-Staple certificates for mail.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.model.finding import Severity
from staplecfg.model.rule import Rule
from staplecfg.servers.nginx.rules.subjects import chains_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding for each mail server block that has something to staple."""
    for site in facts.configuration.sites:
        if site.context == "mail" and any(chain.responders for chain in chains_of(site, facts)):
            yield RULE.finding(site.location, "nginx cannot staple for mail", site=site)


RULE = Rule("stapling-in-mail", Severity.NOTE, __doc__ or "", check)
