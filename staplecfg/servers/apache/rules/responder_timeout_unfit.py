"""The time a responder is given makes every fetch fail, or every handshake wait too long.

What: `SSLStaplingResponderTimeout` comes to 0, or to more than 10 s where a
responder on another machine is asked.

Why: 0 does not mean "no limit": every fetch fails at once, and TRY_LATER is
stapled (measured with 2.4.71). The time is spent inside a visitor's handshake,
once for each address of the responder and each step, while all other
certificates wait for the same lock: with a hanging responder and 20 visitors
the last one waited 20 times as long.

Fix: 1 or 2 seconds for a responder elsewhere, 1 for the local one.

Problematic:

    SSLStaplingResponderTimeout 60

Correct:

    SSLStaplingResponderTimeout 2
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.model.finding import Severity
from staplecfg.model.rule import Rule
from staplecfg.servers.apache.rules.subjects import asks_locally, by_mod_ssl
from staplecfg.servers.apache.stapling import seconds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding

NAME = "SSLStaplingResponderTimeout"
DEFAULT = 10


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding for each such line, where it is in effect first."""
    told = set()
    for site, state, _ in by_mod_ssl(facts):
        setting = site.setting(NAME)
        given = seconds(site, NAME)
        if setting is None or setting.location in told or given < 0:
            continue
        if given == 0:
            told.add(setting.location)
            problem = "with a timeout of 0 every fetch fails at once"
            yield RULE.finding(setting.location, problem, f"write `{NAME} 1`", site)
        elif given > DEFAULT and not asks_locally(state):
            told.add(setting.location)
            problem = (
                f"a handshake may wait {given} s for the responder, and the next ones behind it"
            )
            yield RULE.finding(setting.location, problem, f"write `{NAME} 2`", site)


RULE = Rule("responder-timeout-unfit", Severity.WARNING, __doc__ or "", check)
