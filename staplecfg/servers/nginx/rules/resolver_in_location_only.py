"""A resolver inside a `location` is not used for stapling.

What: nginx fetches the staple itself, no `resolver` is in effect for the server
block, and there is one inside a `location` of it.

Why: stapling belongs to the handshake, which is over before there is a
location. nginx takes the resolver of the server block (ngx_http_ssl_init) and
overlooks those further in; the line looks as if it helped.

Fix: let staplecfg fetch the staples (`staplecfg apply`), and nginx needs no
resolver for them. Moving the line up to the server block makes it count for
stapling, and for every other location too.

Problematic:

    server {
        ssl_stapling on;
        location /api/ { resolver 127.0.0.53; proxy_pass https://$backend; }
    }
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.model.finding import Severity
from staplecfg.model.rule import Rule
from staplecfg.model.source import Location
from staplecfg.servers.fetching import fetched_hosts
from staplecfg.servers.nginx.rules.subjects import fetching

if TYPE_CHECKING:
    from collections.abc import Iterator

    from staplecfg.model.directive import Directive
    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding for each fetching site whose only resolvers are inside locations."""
    for site, _ in fetching(facts):
        if site.setting("resolver") is not None:
            continue
        hosts = fetched_hosts(site, facts.configuration, facts.chains)
        inner = next(_resolvers(site.block), None)
        if hosts and inner is not None:
            problem = f"this `resolver` is not used to find {', '.join(hosts)} for stapling"
            at = Location(site.location.path, inner.line)
            yield RULE.finding(at, problem, "run staplecfg apply", site)


def _resolvers(block: Directive) -> Iterator[Directive]:
    """Yield the resolvers in the blocks within `block`, in their order in the file."""
    for child in block.block.children if block.block else ():
        if child.block is not None:
            yield from (found for found in child.block.children if found.name == "resolver")
            yield from _resolvers(child)


RULE = Rule("resolver-in-location-only", Severity.NOTE, __doc__ or "", check)
