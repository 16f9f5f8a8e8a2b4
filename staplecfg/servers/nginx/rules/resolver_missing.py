"""nginx asks a responder by name and has no resolver of its own to look it up.

What: nginx fetches the staple itself, the responder is given by name, and no
`resolver` is in effect in the server block.

Why: nginx then staples with the addresses the system found when the
configuration was read (1.19.0 and later), and keeps them until the next
reload. When the responder moves, stapling ends. When names cannot be looked up
at that moment, as while booting, stapling is ignored, and each block costs a
wait. `resolver` cures the first and not the second: the system is asked at
start all the same. A resolver also changes how `proxy_pass` with variables
works, so staplecfg adds none by itself.

Fix: let staplecfg fetch staples (`staplecfg apply`), and nginx asks nobody. Or,
knowing what else it changes, name a resolver that this machine can reach:

    resolver 127.0.0.53 valid=300s;
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.model.finding import Severity
from staplecfg.model.rule import Rule
from staplecfg.servers.fetching import fetched_hosts
from staplecfg.servers.nginx.rules.subjects import fetching

if TYPE_CHECKING:
    from collections.abc import Iterator

    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding for each site that looks responders up at start only."""
    for site, state in fetching(facts):
        if site.setting("resolver") is not None or state.switch is None:
            continue
        hosts = fetched_hosts(site, facts.configuration, facts.chains)
        if hosts:
            problem = (
                f"without `resolver` nginx keeps the addresses of {', '.join(hosts)} "
                "that it found when it was started or reloaded"
            )
            yield RULE.finding(state.switch.location, problem, "run staplecfg apply", site)


RULE = Rule("resolver-missing", Severity.NOTE, __doc__ or "", check)
