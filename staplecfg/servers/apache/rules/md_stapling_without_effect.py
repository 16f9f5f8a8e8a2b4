"""`MDStapling on` does nothing here, for mod_md staples for its own domains only.

What: `MDStapling on` and `MDStapleOthers off` are in effect in a virtual host
that no `MDomain` names.

Why: with `MDStapleOthers off` mod_md leaves every certificate alone that it does
not manage. It is on by default, so somebody switched it off. mod_ssl staples
there if `SSLUseStapling` is on, and else nobody does.

Fix: take `MDStapleOthers off` out, or use mod_ssl:

    staplecfg apply

Problematic:

    MDStapling on
    MDStapleOthers off
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.model.finding import Severity
from staplecfg.model.rule import Rule
from staplecfg.servers.apache.stapling import stapling
from staplecfg.servers.apache.values import flag

if TYPE_CHECKING:
    from collections.abc import Iterator

    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding for each site that nobody staples for because of this."""
    for site in facts.configuration.sites:
        switch = site.setting("MDStapling")
        others = site.setting("MDStapleOthers")
        if switch is None or others is None or not flag(switch) or flag(others):
            continue
        state = stapling(site, facts.configuration)
        if not state.on and state.switch is None:
            problem = f"`MDStapling on` ({switch.location}) is not for this site with this line"
            hint = "take the line out, or run staplecfg apply"
            yield RULE.finding(others.location, problem, hint, site)


RULE = Rule("md-stapling-without-effect", Severity.WARNING, __doc__ or "", check)
