"""Stapling is turned off in words, and staplecfg does not overrule that.

What: a directive in effect in this site says `off`, its own or one it inherits.

Why: someone wrote it down, so someone decided it: an outage of a responder, a
proxy in front, a test. A tool that undoes decisions is not run twice.

Fix: nothing, if it is still meant. Otherwise take the line out, or let
staplecfg replace it; `staplecfg remove` gives it back:

    staplecfg apply --replace ssl_stapling --site shop.example
"""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING

from staplecfg.checks.subjects import chains_of
from staplecfg.model.finding import Severity
from staplecfg.model.rule import Rule
from staplecfg.servers.in_effect import in_effect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding for each site that could staple and is told not to."""
    for site in facts.configuration.sites:
        decided = in_effect(site, facts.configuration).decided_off
        if decided is None or not any(chain.responders for chain in chains_of(site, facts)):
            continue
        words = " ".join(decided.directive.words)
        problem = f"`{words}` is set here; staplecfg does not overrule it"
        name = decided.directive.name
        hint = f"run staplecfg apply --replace {name} --site {quote(site.title)}"
        yield RULE.finding(decided.location, problem, hint, site)


RULE = Rule("stapling-off-decided", Severity.NOTE, __doc__ or "", check)
