"""A staple is past the middle of its life and will be renewed at the next run.

What: more than half of the time between thisUpdate and nextUpdate has passed.

Why: staplecfg renews from half-life on, so that a responder may be out for the
other half. An authority must publish a new response by then or soon after
(CA/Browser Forum baseline requirements, 4.9.9), so a renewal now may still get
the old response; that is no failure.

Fix: nothing; the schedule does it. To do it now:

    staplecfg warm
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.checks.in_store import expiring, with_staple
from staplecfg.checks.wording import duration
from staplecfg.model.finding import Severity
from staplecfg.model.rule import Rule
from staplecfg.model.staple import Freshness

if TYPE_CHECKING:
    from collections.abc import Iterator

    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding for each staple between half and three quarters of its life."""
    for site, certificate, _, staple in with_staple(facts):
        if staple.freshness(facts.now) is Freshness.DUE and not expiring(staple, facts):
            left = duration(staple.expires - facts.now)
            problem = f'the staple for "{certificate.text}" is due for renewal: {left} left'
            yield RULE.finding(certificate.location, problem, "run staplecfg warm", site)


RULE = Rule("staple-due", Severity.NOTE, __doc__ or "", check)
