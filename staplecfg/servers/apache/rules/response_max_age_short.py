"""Responses count as too old before the authority gives out new ones.

What: `SSLStaplingResponseMaxAge` is below four days.

Why: it is the age since thisUpdate, and authorities publish a response for a
week or so and give out the same one for days (baseline requirements, 4.9.10).
A fetched response that is older counts as an error: with
`SSLStaplingReturnResponderErrors off` nothing is stapled, and otherwise the fetch
is repeated every ten minutes (`AH01936: response times invalid`). By default age
is not looked at; nextUpdate, which the authority sets, is enough.

Fix: take the line out.

Problematic:

    SSLStaplingResponseMaxAge 3600
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

NAME = "SSLStaplingResponseMaxAge"
LEAST = 4 * 24 * 3600
"""Half of eight days, the usual life of a response, after which a new one must be out."""


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding for each such line, where it is in effect first."""
    told = set()
    for site, _, _ in by_mod_ssl(facts):
        setting = site.setting(NAME)
        given = seconds(site, NAME)
        if setting is not None and 0 <= given < LEAST and setting.location not in told:
            told.add(setting.location)
            problem = f"responses older than {given} s count as invalid, and many good ones are"
            yield RULE.finding(setting.location, problem, "take the line out", site)


RULE = Rule("response-max-age-short", Severity.WARNING, __doc__ or "", check)
