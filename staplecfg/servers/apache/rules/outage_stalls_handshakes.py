"""When the responder hangs, httpd asks it again in every handshake, one after another.

What: `SSLStaplingReturnResponderErrors off` or `SSLStaplingFakeTryLater off`, and
a responder on another machine is asked.

Why: what failed is then not cached, so the next handshake asks again, and one
lock lets only one of them ask at a time. With a hanging responder, a timeout of
1 s and 20 visitors the last handshake took 20 s (measured with 2.4.71); with the
default timeout it is 200 s. An outage of the responder becomes yours. Much
advice recommends these lines; they are right for a responder that is local and
fails at once.

Fix: let staplecfg answer on this machine, or take the lines out and live with
TRY_LATER (see outage-becomes-try-later):

    staplecfg apply

Problematic:

    SSLUseStapling on
    SSLStaplingReturnResponderErrors off

Correct:

    SSLUseStapling on
    SSLStaplingForceURL http://127.0.0.1:889/
    SSLStaplingReturnResponderErrors off
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.model.finding import Severity
from staplecfg.model.rule import Rule
from staplecfg.servers.apache.rules.subjects import errors_off, fetching

if TYPE_CHECKING:
    from collections.abc import Iterator

    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding for each such line, where it is in effect first."""
    told = set()
    for site, _, _ in fetching(facts):
        setting = errors_off(site)
        if setting is not None and setting.location not in told:
            told.add(setting.location)
            name = setting.directive.name
            problem = f"with `{name} off` each handshake waits for a hanging responder, in turn"
            yield RULE.finding(setting.location, problem, "run staplecfg apply", site)


RULE = Rule("outage-stalls-handshakes", Severity.WARNING, __doc__ or "", check)
