"""httpd is told to go on serving a staple well after its end.

What: `SSLStaplingResponseTimeSkew` is above 300 s.

Why: it is meant for clocks that differ, and it is added to nextUpdate: a cached
response is served that much longer (measured with 2.4.71). Clients go by their
own clocks, and those that look at staples end the handshake when the time has
passed, so an outage of the responder turns visitors away, instead of ending in
handshakes without a staple. The default, 300 s, is as far as good clocks ever
differ.

Fix: take the line out, and keep the clock right.

Problematic:

    SSLStaplingResponseTimeSkew 86400
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.model.finding import Severity
from staplecfg.model.rule import Rule
from staplecfg.servers.apache.rules.subjects import by_mod_ssl
from staplecfg.servers.apache.stapling import seconds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding

NAME = "SSLStaplingResponseTimeSkew"
DEFAULT = 300


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding for each such line, where it is in effect first."""
    told = set()
    for site, _, _ in by_mod_ssl(facts):
        setting = site.setting(NAME)
        given = seconds(site, NAME)
        if setting is not None and given > DEFAULT and setting.location not in told:
            told.add(setting.location)
            problem = f"a staple is served until {given} s after its end"
            yield RULE.finding(setting.location, problem, "take the line out", site)


RULE = Rule("staple-served-after-its-end", Severity.WARNING, __doc__ or "", check)
