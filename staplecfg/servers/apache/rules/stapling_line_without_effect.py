"""A line about stapling is in a virtual host that does not staple.

What: `SSLStaplingForceURL`, a timeout or a flag for stapling is set in a virtual
host of its own, and `SSLUseStapling` is not on there.

Why: none of them switches stapling on; httpd takes them and does nothing. It
looks configured and is not.

Fix: switch stapling on, or take the lines out:

    staplecfg apply

Problematic:

    SSLStaplingResponderTimeout 5
    SSLStaplingReturnResponderErrors off

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
from staplecfg.model.site import Origin
from staplecfg.servers.apache.stapling import DEFAULTS, stapling

if TYPE_CHECKING:
    from collections.abc import Iterator

    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding for each site with such lines, at the first of them."""
    for site in facts.configuration.sites:
        state = stapling(site, facts.configuration)
        found = [s for s in map(site.setting, DEFAULTS) if s and s.origin is not Origin.INHERITED]
        # Off in words is a decision, and the lines wait for its end.
        if state.on or state.switch is not None or not found:
            continue
        first = min(found, key=lambda setting: setting.directive.span)
        problem = f"`{first.directive.name}` does nothing here: `SSLUseStapling` is not on"
        hint = "run staplecfg apply, or take the line out"
        yield RULE.finding(first.location, problem, hint, site)


RULE = Rule("stapling-line-without-effect", Severity.WARNING, __doc__ or "", check)
