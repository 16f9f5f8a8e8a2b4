"""A staple has less than a quarter of its life left, and nothing has renewed it.

What: three quarters of the time between thisUpdate and nextUpdate have passed.

Why: staplecfg renews from half-life on, so a quarter of a life went by without
success: the schedule does not run, or the responder gives nothing better. When
the rest has passed the staple is withdrawn, and a certificate that demands one
(Must-Staple) is refused by clients.

Fix: see what a renewal says, and whether it is scheduled:

    staplecfg warm
    systemctl list-timers 'staplecfg*'
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.checks.in_store import expiring, with_staple
from staplecfg.checks.wording import duration, moment
from staplecfg.model.finding import Severity
from staplecfg.model.rule import Rule
from staplecfg.model.staple import Freshness

if TYPE_CHECKING:
    from collections.abc import Iterator

    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding for each staple in the last quarter of its life."""
    for site, certificate, chain, staple in with_staple(facts):
        if staple.freshness(facts.now) is Freshness.EXPIRED or not expiring(staple, facts):
            continue
        problem = (
            f'the staple for "{certificate.text}" expires in '
            f"{duration(staple.expires - facts.now)}, on {moment(staple.expires)}"
        )
        attempts = facts.attempts.get(chain.fingerprint)
        if attempts is not None and attempts.error:
            problem += f", and cannot be renewed: {attempts.error}"
        yield RULE.finding(certificate.location, problem, "run staplecfg warm", site)


RULE = Rule("staple-expiring", Severity.ERROR, __doc__ or "", check)
