"""A certificate is not valid yet.

What: the notBefore date of the certificate lies in the future.

Why: browsers turn visitors away until then. The likeliest reason is a clock
that is wrong, and then everything that is judged by time here is wrong too:
staples look expired, or never do (RFC 6960, 3.2, asks for thisUpdate and
nextUpdate to be compared with the local time).

Fix: compare the clock with another one (`timedatectl`, `chronyc tracking`);
otherwise present the old certificate until the new one's time has come.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.checks.subjects import each_file
from staplecfg.checks.wording import moment
from staplecfg.model.finding import Severity
from staplecfg.model.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding for each file whose leaf is not valid yet."""
    for site, certificate, chain in each_file(facts):
        if facts.now < chain.not_before:
            problem = (
                f'certificate "{certificate.text}" is valid from {moment(chain.not_before)}; '
                f"this machine has {moment(facts.now)}"
            )
            yield RULE.finding(certificate.location, problem, "check the clock: timedatectl", site)


RULE = Rule("certificate-not-yet-valid", Severity.ERROR, __doc__ or "", check)
