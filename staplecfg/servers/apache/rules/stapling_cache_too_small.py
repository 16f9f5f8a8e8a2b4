"""The stapling cache is too small for the certificates, so responses push each other out.

What: `SSLStaplingCache` in shared memory, with room for fewer than twice as many
responses as there are certificates that mod_ssl staples for.

Why: each 1520 bytes have room for one response, and they are split into parts:
the hash of a certificate decides which part its response goes to, so one part
is full long before all are. The size of httpd's own sample, 32768, is enough
for 10 certificates. With 60 certificates and 65536 bytes every one of them was
fetched again at the second visit (measured with 2.4.71); nothing is logged, and
each fetch holds up all the others.

Fix: give it 4096 bytes for each certificate, 131072 at the least.

Problematic:

    SSLStaplingCache shmcb:ssl_stapling(32768)

Correct:

    SSLStaplingCache shmcb:ssl_stapling(262144)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.model.finding import Severity
from staplecfg.model.rule import Rule
from staplecfg.servers.apache.cache import Cache, parse, size_for, slots
from staplecfg.servers.apache.rules.subjects import by_mod_ssl, cache_of, certificates

if TYPE_CHECKING:
    from collections.abc import Iterator

    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding

SPARE = 2
"""Slots for each certificate: then a full part is rare (60 certificates had no trouble in 84)."""


def check(facts: Facts) -> Iterator[Finding]:
    """Yield a finding for the cache in effect if it has too few slots."""
    setting = cache_of(facts.configuration)
    cache = parse(setting.args[0]) if setting is not None else None
    if setting is None or not isinstance(cache, Cache) or cache.size is None:
        return
    count = certificates((site for site, _, _ in by_mod_ssl(facts)), facts)
    room = slots(cache.size)
    if room < SPARE * count:
        problem = f"{cache.size} bytes have room for {room} responses, and {count} are to fit"
        hint = f"give it {size_for(count)} bytes"
        yield RULE.finding(setting.location, problem, hint)


RULE = Rule("stapling-cache-too-small", Severity.WARNING, __doc__ or "", check)
