"""httpd fetches the staple during a visitor's handshake, and others wait as well.

What: `SSLUseStapling on` is in effect, and a responder on another machine is
asked.

Why: mod_ssl asks when a client wants a staple and none is cached, and that
client waits: 2 s with a responder that takes 2 s, 10 s with one that hangs. One
lock is for all certificates, so they wait for each other: with 60 certificates
and a responder 0.2 s away the slowest of 60 handshakes took 12.3 s (measured
with 2.4.71). The cache is emptied by every reload, and each response is dropped
an hour after it was fetched.

Fix: let staplecfg fetch ahead and answer on this machine, within milliseconds:

    staplecfg apply

Problematic:

    SSLUseStapling on

Correct:

    SSLUseStapling on
    SSLStaplingForceURL http://127.0.0.1:889/
    SSLStaplingResponderTimeout 1
    SSLStaplingReturnResponderErrors off
    SSLStaplingFakeTryLater off
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.model.finding import Severity
from staplecfg.model.rule import Rule
from staplecfg.servers.apache.rules.subjects import chains_of, fetching
from staplecfg.servers.apache.stapling import seconds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding

CACHED = "SSLStaplingStandardCacheTimeout"


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding for each site whose visitors wait."""
    for site, _, switch in fetching(facts):
        problem = (
            "httpd fetches this staple during handshakes, after each reload "
            f"and every {seconds(site, CACHED)} s"
        )
        if any(chain.must_staple for chain in chains_of(site, facts)):
            problem += ", and this certificate demands one (Must-Staple)"
        yield RULE.finding(switch.location, problem, "run staplecfg apply", site)


RULE = Rule("fetch-during-handshake", Severity.WARNING, __doc__ or "", check)
