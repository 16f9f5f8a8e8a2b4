"""A time for stapling is not a plain number of seconds, and httpd reads something else.

What: one of the five stapling directives that take a time has a unit, or is no
number at all, or is beyond what fits.

Why: these times are read with C's `atoi`, which stops at the first character
that is no digit, and `apachectl -t` is content: `500ms` is 500 seconds, `5m` is
5 seconds, and a word is 0. With a timeout of 0 no fetch ever succeeds
(measured with 2.4.71); other directives of httpd do take units.

Fix: write seconds, digits alone.

Problematic:

    SSLStaplingResponderTimeout 500ms
    SSLStaplingStandardCacheTimeout 1h

Correct:

    SSLStaplingResponderTimeout 1
    SSLStaplingStandardCacheTimeout 3600
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.model.finding import Severity
from staplecfg.model.rule import Rule
from staplecfg.servers.apache.stapling import TIMES
from staplecfg.servers.apache.values import LONGEST, is_seconds, number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding for each such line, where it is in effect first."""
    told = set()
    for site in facts.configuration.sites:
        for name in TIMES:
            setting = site.setting(name)
            if setting is None or not setting.args or is_seconds(setting.args[0]):
                continue
            if setting.location not in told:
                told.add(setting.location)
                problem = f"`{name} {setting.args[0]}` is {_read(setting.args[0])}"
                yield RULE.finding(setting.location, problem, "write seconds, digits alone", site)


def _read(text: str) -> str:
    """Say what httpd takes `text` for."""
    if abs(number(text)) > LONGEST:
        return "more seconds than httpd can count"
    return f"{number(text)} s to httpd"


RULE = Rule("stapling-time-not-seconds", Severity.WARNING, __doc__ or "", check)
