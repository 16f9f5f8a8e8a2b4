"""The staple in the store is past its end.

What: nextUpdate of the stored response, or the end of the certificate that
signed it, has passed.

Why: a client that looks at staples treats an expired one as no answer or turns
away, and neither nginx nor Apache's mod_md looks at the dates of a staple file:
they would serve it for ever. So staplecfg withdraws it, and nothing is stapled until there is a
new one (RFC 6960, 3.2: nextUpdate must be later than the current time).

Fix: fetch a new one and see what is said:

    staplecfg warm
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.checks.in_store import with_staple
from staplecfg.checks.wording import moment
from staplecfg.model.finding import Severity
from staplecfg.model.rule import Rule
from staplecfg.model.staple import Freshness

if TYPE_CHECKING:
    from collections.abc import Iterator

    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding for each staple that may no longer be served."""
    for site, certificate, chain, staple in with_staple(facts):
        if staple.freshness(facts.now) is not Freshness.EXPIRED:
            continue
        problem = f'the staple for "{certificate.text}" expired on {moment(staple.expires)}'
        attempts = facts.attempts.get(chain.fingerprint)
        if attempts is not None and attempts.error:
            problem += f", and cannot be renewed: {attempts.error}"
        yield RULE.finding(certificate.location, problem, "run staplecfg warm", site)


RULE = Rule("staple-expired", Severity.ERROR, __doc__ or "", check)
