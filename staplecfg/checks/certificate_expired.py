"""A certificate is past its notAfter date.

What: the server presents a certificate that has expired.

Why: every browser turns visitors away, staple or not. Responders need not
answer for expired certificates (RFC 6960, 2.5), so there is nothing to ask
either, and staplecfg does not (RFC 5019: clients should not).

Fix: renew the certificate, reload the server, and see that whatever renews it
(certbot, acme.sh, your calendar) works again.
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
    """Yield one finding for each file whose leaf has expired."""
    for site, certificate, chain in each_file(facts):
        if chain.not_after < facts.now:
            problem = f'certificate "{certificate.text}" expired on {moment(chain.not_after)}'
            hint = "renew the certificate and reload the server"
            yield RULE.finding(certificate.location, problem, hint, site)


RULE = Rule("certificate-expired", Severity.ERROR, __doc__ or "", check)
