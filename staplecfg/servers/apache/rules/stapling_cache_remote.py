"""The stapling cache is a server of its own, and when that hangs, handshakes hang.

What: `SSLStaplingCache` names redis, memcache or dc.

Why: each handshake that asks for a staple asks that server first. While it is
down, a refused connection costs little. When it hangs instead (stopped,
swapping, a packet filter that drops), handshakes wait without an end: 608 s
were measured with 2.4.71, and `RedisTimeout` did not help. Several machines may
share such a cache, but a TRY_LATER that one of them stores is everybody's.

Fix: use shared memory. If the cache must be shared, run redis on the same
machine, on loopback, and watch it.

Problematic:

    SSLStaplingCache redis:cache.internal:6379

Correct:

    SSLStaplingCache shmcb:ssl_stapling(131072)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.model.finding import Severity
from staplecfg.model.rule import Rule
from staplecfg.servers.apache.cache import Cache, parse
from staplecfg.servers.apache.rules.subjects import cache_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding

SERVERS = frozenset({"redis", "memcache", "dc"})


def check(facts: Facts) -> Iterator[Finding]:
    """Yield a finding for the cache in effect if another server keeps it."""
    setting = cache_of(facts.configuration)
    found = parse(setting.args[0]) if setting is not None else None
    if setting is not None and isinstance(found, Cache) and found.kind in SERVERS:
        problem = f"handshakes wait for {found.kind}, without an end when it hangs"
        hint = "write `SSLStaplingCache shmcb:ssl_stapling(131072)`"
        yield RULE.finding(setting.location, problem, hint)


RULE = Rule("stapling-cache-remote", Severity.WARNING, __doc__ or "", check)
