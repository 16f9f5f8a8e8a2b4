"""mod_md staples, and mod_watchdog is not there: httpd does not start.

What: `MDStapling on` is in effect, and mod_watchdog is neither compiled in nor
loaded.

Why: mod_md renews responses from mod_watchdog's thread and does without nothing:
`AH10201: mod_watchdog is required for OCSP stapling` (mod_md_ocsp.c). Only a start
or a reload finds out, and ends the server; `apachectl -t` does not.

Fix: load it, before mod_md. Debian and Ubuntu have it compiled in.

Correct:

    LoadModule watchdog_module modules/mod_watchdog.so
    LoadModule md_module modules/mod_md.so
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.model.finding import Severity
from staplecfg.model.rule import Rule
from staplecfg.servers.apache.rules.subjects import by_mod_md, has_module

if TYPE_CHECKING:
    from collections.abc import Iterator

    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding for each line that has mod_md staple, where modules are known."""
    if has_module(facts, "watchdog") is not False:
        return
    told = set()
    for site, module in by_mod_md(facts):
        if module.location not in told:
            told.add(module.location)
            problem = "without mod_watchdog httpd ends at the next reload; -t does not tell"
            yield RULE.finding(module.location, problem, "load watchdog_module", site)


RULE = Rule("md-watchdog-missing", Severity.ERROR, __doc__ or "", check)
