"""`SSLStaplingCache` is given more than once, and the last one wins.

What: several lines of different values are in effect at server level.

Why: httpd takes the last one and says nothing (measured with 2.4.71). Which one
that is depends on the order in which files are included: whoever enlarges the
first one sees no effect. Nothing breaks by it.

Fix: keep one. If several files bring one, each with its own `<IfModule>`, keep
the one that is meant and take the others out.

Problematic:

    SSLStaplingCache shmcb:ssl_stapling(524288)
    IncludeOptional conf-enabled/*.conf        # one of them says (32768)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.model.finding import Severity
from staplecfg.model.rule import Rule
from staplecfg.servers.apache.rules.subjects import cache_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding for each line that another one overrules."""
    last = cache_of(facts.configuration)
    if last is None:
        return
    for setting in facts.configuration.globals["SSLStaplingCache"]:
        if setting.args != last.args:
            problem = f"this cache is not used: {last.location} names another, and the last wins"
            yield RULE.finding(setting.location, problem, "keep one of the two")


RULE = Rule("stapling-cache-twice", Severity.WARNING, __doc__ or "", check)
