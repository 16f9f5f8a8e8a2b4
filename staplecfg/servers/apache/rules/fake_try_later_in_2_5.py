"""From httpd 2.5 on a failed fetch ends the handshake where TRY_LATER is not faked.

What: `SSLStaplingFakeTryLater off` is in effect, and this is httpd 2.5 or later.

Why: in 2.4 a fetch that fails then means a handshake without a staple. In the
code of 2.5 it means a fatal alert to every client that asks for one (trunk,
ssl_util_stapling.c: read, not measured). In return a faked TRY_LATER is no longer
cached for an hour there, and is dropped with
`SSLStaplingReturnResponderErrors off`, so the line is not needed any more.

Fix: take the line out, and keep the other one:

    SSLStaplingReturnResponderErrors off
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.model.finding import Severity
from staplecfg.model.rule import Rule
from staplecfg.servers.apache.rules.subjects import by_mod_ssl
from staplecfg.servers.apache.values import flag

if TYPE_CHECKING:
    from collections.abc import Iterator

    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding

NAME = "SSLStaplingFakeTryLater"
CHANGED_IN = (2, 5)


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding for each such line, where it is in effect first."""
    if facts.installation.version < CHANGED_IN:
        return
    told = set()
    for site, _, _ in by_mod_ssl(facts):
        setting = site.setting(NAME)
        if setting is None or flag(setting) or setting.location in told:
            continue
        told.add(setting.location)
        problem = "with this line httpd 2.5 ends the handshake when a fetch fails"
        yield RULE.finding(setting.location, problem, "take the line out", site)


RULE = Rule("fake-try-later-in-2-5", Severity.WARNING, __doc__ or "", check)
