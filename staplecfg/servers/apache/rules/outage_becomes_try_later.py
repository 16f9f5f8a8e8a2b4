"""When the responder fails, httpd staples TRY_LATER for an hour, though it had a good staple.

What: `SSLUseStapling on`, with `SSLStaplingReturnResponderErrors` and
`SSLStaplingFakeTryLater` at their default, on.

Why: once a response has left the cache mod_ssl never uses it again. A fetch that
fails is stapled as an error, TRY_LATER, and cached in the place of the good one
for `SSLStaplingStandardCacheTimeout`, not for the shorter error timeout (up to
2.4.71). One answer 503 is an hour of TRY_LATER: 475 of 477 handshakes after a
reload (measured). Firefox has turned visitors away for it (Mozilla bug 1323141).

Fix: let staplecfg answer on this machine; only then may both be off, for off
with a responder elsewhere is worse (see outage-stalls-handshakes):

    staplecfg apply

Correct:

    SSLStaplingForceURL http://127.0.0.1:889/
    SSLStaplingReturnResponderErrors off
    SSLStaplingFakeTryLater off
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.model.finding import Severity
from staplecfg.model.rule import Rule
from staplecfg.servers.apache.rules.subjects import (
    asks_locally,
    asks_somebody,
    by_mod_ssl,
    errors_off,
)
from staplecfg.servers.apache.stapling import seconds
from staplecfg.servers.apache.values import flag

if TYPE_CHECKING:
    from collections.abc import Iterator

    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding

CACHED = "SSLStaplingStandardCacheTimeout"


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding for each line that switches stapling on in this way."""
    told = set()
    for site, state, switch in by_mod_ssl(facts):
        if not flag(site.setting("SSLStaplingFakeTryLater"), default=True):
            continue
        local = asks_locally(state)
        errors = errors_off(site)
        # One of them off with a responder elsewhere is outage-stalls-handshakes.
        if not asks_somebody(site, state, facts) or (errors is not None and not local):
            continue
        if switch.location not in told:
            told.add(switch.location)
            span = f" for {seconds(site, CACHED)} s" if errors is None else ""
            problem = f"when a fetch fails, TRY_LATER is stapled{span}"
            yield RULE.finding(switch.location, problem, _hint(local=local), site)


def _hint(*, local: bool) -> str:
    if local:
        return "add `SSLStaplingReturnResponderErrors off` and `SSLStaplingFakeTryLater off`"
    return "run staplecfg apply"


RULE = Rule("outage-becomes-try-later", Severity.WARNING, __doc__ or "", check)
