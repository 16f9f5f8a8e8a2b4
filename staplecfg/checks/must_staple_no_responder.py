"""A certificate demands a staple, and nobody could ever give one.

What: the certificate carries the TLS feature status_request ("Must-Staple",
RFC 7633) but names no OCSP responder.

Why: clients that honour the demand, such as Firefox, turn visitors away when
no staple is sent, and there is nobody to get one from. No configuration can
meet this. It happens where an authority has ended OCSP and old requests for
certificates still ask for the feature.

Fix: have the certificate reissued without the demand. With certbot remove
`must_staple = True` from the renewal configuration, or do not pass
`--must-staple`; with acme.sh leave out `--ocsp`. Then renew it:

    certbot renew --cert-name shop.example --force-renewal
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.checks.subjects import each_certificate
from staplecfg.model.finding import Severity
from staplecfg.model.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding for each certificate whose demand cannot be met."""
    for site, certificate, chain in each_certificate(facts):
        if chain.must_staple and not chain.responders:
            problem = (
                f'certificate "{certificate.text}" demands a staple (Must-Staple) '
                "but names no OCSP responder"
            )
            hint = "have it reissued without Must-Staple: no server can meet the demand"
            yield RULE.finding(certificate.location, problem, hint, site)


RULE = Rule("must-staple-no-responder", Severity.ERROR, __doc__ or "", check)
