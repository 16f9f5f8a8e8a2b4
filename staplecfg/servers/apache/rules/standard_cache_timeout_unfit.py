"""Responses are kept for too short or too long a time in the stapling cache.

What: `SSLStaplingStandardCacheTimeout` is below 600 s where a responder on
another machine is asked, or above an hour where the local one is.

Why: when it has passed, the next visitor waits for a fetch, whatever the
response's own dates say; with 0 every handshake fetches (measured with 2.4.71).
Those dates are looked at in each handshake anyway, so with a responder elsewhere
a long time is the better one, up to days. The local responder renews staples
ahead: there a long time only keeps the old one in use, and an answer that has
changed is noticed late.

Fix: leave it at 3600 or raise it with a responder elsewhere; 300 with the local
one.

Problematic:

    SSLStaplingStandardCacheTimeout 60

Correct:

    SSLStaplingStandardCacheTimeout 86400
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.model.finding import Severity
from staplecfg.model.rule import Rule
from staplecfg.servers.apache.rules.subjects import asks_locally, asks_somebody, by_mod_ssl
from staplecfg.servers.apache.stapling import seconds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding

NAME = "SSLStaplingStandardCacheTimeout"
LEAST, MOST = 600, 3600
"""Seconds: the least with a responder elsewhere, the most with the local one."""


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding for each such line, where it is in effect first."""
    told = set()
    for site, state, _ in by_mod_ssl(facts):
        setting = site.setting(NAME)
        given = seconds(site, NAME)
        if setting is None or setting.location in told or not asks_somebody(site, state, facts):
            continue
        local = asks_locally(state)
        if given < LEAST and not local:
            told.add(setting.location)
            problem = f"every {given} s a visitor waits for the staple to be fetched"
            if given == 0:
                problem = "nothing is cached: every visitor waits for the staple to be fetched"
            yield RULE.finding(setting.location, problem, f"write `{NAME} 86400`", site)
        elif given > MOST and local:
            told.add(setting.location)
            problem = f"a renewed staple is taken up only after {given} s"
            yield RULE.finding(setting.location, problem, f"write `{NAME} 300`", site)


RULE = Rule("standard-cache-timeout-unfit", Severity.WARNING, __doc__ or "", check)
