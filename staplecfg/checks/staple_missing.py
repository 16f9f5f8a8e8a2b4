"""A site is set up for a staple that has never been had.

What: staplecfg's lines are in the site, and its store holds no response for the
certificate the site presents.

Why: nothing wrong is served, but nothing is stapled either, so clients ask the
responder themselves or do without. That is how staplecfg leaves a site whose
responder could not be reached, or whose certificate has been replaced before
the new one's staple was fetched.

Fix: fetch it now and see what is said:

    staplecfg warm
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.checks.in_store import without_staple
from staplecfg.model.finding import Severity
from staplecfg.model.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding for each certificate of ours without a staple in the store."""
    for site, certificate, chain in without_staple(facts):
        attempts = facts.attempts.get(chain.fingerprint)
        problem = f'there is no staple for certificate "{certificate.text}"'
        if attempts is not None and attempts.error:
            problem += f": {attempts.error}"
        yield RULE.finding(certificate.location, problem, "run staplecfg warm", site)


RULE = Rule("staple-missing", Severity.WARNING, __doc__ or "", check)
