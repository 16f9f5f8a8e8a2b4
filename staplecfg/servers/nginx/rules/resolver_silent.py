"""A configured resolver gives no address for a responder that nginx must ask.

What: asked for the responder's name, the `resolver` did not answer, refused, or
said that there is no such name.

Why: a wrong resolver is worse than none. Once one is in effect nginx asks it
and nobody else; the addresses found at start are no fallback, and nothing is
stapled (measured with 1.22.1). All that is ever said is a line in the error
log: `ocsp.example.org could not be resolved (110: Operation timed out)`.

Fix: name a resolver that this machine can reach, or let staplecfg fetch the
staples, so that nginx needs none:

    staplecfg apply

Problematic:

    resolver 8.8.8.8;     # behind a firewall that lets no DNS out

Correct:

    resolver 127.0.0.53;
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.model.finding import Severity
from staplecfg.model.rule import Rule
from staplecfg.servers.fetching import fetched_hosts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding for each line, resolver and host that do not go together."""
    told = set()
    for site in facts.configuration.sites:
        setting = site.setting("resolver")
        hosts = fetched_hosts(site, facts.configuration, facts.chains) if setting else ()
        for answer in facts.resolvers:
            if setting is None or answer.problem is None or answer.host not in hosts:
                continue
            place = (setting.location, answer.resolver, answer.host)
            if answer.resolver in setting.args and place not in told:
                told.add(place)
                problem = f"`resolver {answer.resolver}`, asked for {answer.host}, {answer.problem}"
                hint = "name a resolver this machine can reach, or run staplecfg apply"
                yield RULE.finding(setting.location, problem, hint, site)


RULE = Rule("resolver-silent", Severity.WARNING, __doc__ or "", check)
