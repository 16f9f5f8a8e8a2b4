"""A resolver keeps nginx from asking a responder that is given by address.

What: nginx fetches the staple itself from `http://[::1]...` or `http://unix:...`,
and a `resolver` is in effect.

Why: with a resolver nginx tries to look up whatever stands where the host is,
and knows only IPv4 addresses when it sees them: `[::1] could not be resolved`.
Without a resolver both work (measured with 1.22.1).

Fix: name the responder by its IPv4 address; then the resolver does not matter.

Problematic:

    resolver 127.0.0.53;
    ssl_stapling_responder http://[::1]:8080/;

Correct:

    resolver 127.0.0.53;
    ssl_stapling_responder http://127.0.0.1:8080/;
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.model.finding import Severity
from staplecfg.model.rule import Rule
from staplecfg.servers.fetching import fetched_urls

if TYPE_CHECKING:
    from collections.abc import Iterator

    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding

BROKEN = ("http://[", "http://unix:")


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding for each site that needs to ask such an address."""
    for site in facts.configuration.sites:
        resolver = site.setting("resolver")
        if resolver is None:
            continue
        for url in fetched_urls(site, facts.configuration, facts.chains):
            if url.lower().startswith(BROKEN):
                problem = f'with a `resolver` in effect nginx cannot ask the responder "{url}"'
                hint = "name the responder by its IPv4 address"
                yield RULE.finding(resolver.location, problem, hint, site)


RULE = Rule("resolver-breaks-address", Severity.WARNING, __doc__ or "", check)
