"""Virtual hosts with the same certificate staple in different ways, and share the result.

What: one certificate is presented in several virtual hosts where mod_ssl staples,
and they differ in responder, flags or times.

Why: the cache is keyed by the certificate alone. Whichever virtual host is
visited first fetches, by its own rules, and all of them serve what it cached: a
TRY_LATER from the one with the defaults is sent by the one that is set up to
send none (mod_ssl's ssl_util_stapling.c; measured with 2.4.71).

Fix: say the same in all of them, or at server level once:

    staplecfg apply

Problematic:

    <VirtualHost *:443>
        ServerName shop.example
        SSLStaplingForceURL http://127.0.0.1:889/
    </VirtualHost>
    <VirtualHost *:443>
        ServerName www.shop.example        # the same certificate
    </VirtualHost>
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.model.finding import Severity
from staplecfg.model.rule import Rule
from staplecfg.servers.apache.rules.subjects import by_mod_ssl, chains_of
from staplecfg.servers.apache.stapling import DEFAULTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding
    from staplecfg.model.site import Site
    from staplecfg.model.source import Location


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding for each site that differs from the first one with its certificate."""
    first: dict[str, tuple[Location, tuple[str, ...]]] = {}
    for site, _, switch in by_mod_ssl(facts):
        for chain in chains_of(site, facts):
            at, manner = first.setdefault(chain.fingerprint, (site.location, _manner(site)))
            differing = _differing(manner, _manner(site))
            if differing is not None:
                problem = (
                    f"this and the virtual host at {at} share the staple of one certificate, "
                    f"and differ in `{differing}`"
                )
                yield RULE.finding(switch.location, problem, "say the same in both", site)
                break


def _manner(site: Site) -> tuple[str, ...]:
    return tuple(site.value(name, default).lower() for name, default in DEFAULTS.items())


def _differing(one: tuple[str, ...], other: tuple[str, ...]) -> str | None:
    pairs = zip(DEFAULTS, one, other, strict=True)
    return next((name for name, left, right in pairs if left != right), None)


RULE = Rule("certificate-stapled-in-two-ways", Severity.WARNING, __doc__ or "", check)
