"""A certificate has been revoked by its issuer.

What: the responder answered, in a response whose signature was verified, that
the certificate is revoked (RFC 6960, 2.2).

Why: someone asked the authority to revoke it, or the authority had to. Clients
that check will refuse it at any moment. staplecfg does not put the answer into
the server's hands; the last good staple stays until it ends, and no new one
will come. This is not a fault of stapling, and configuring it away helps nobody.

Fix: find out why: a key that leaked must not be used again. Make a new key,
have a certificate issued for it, and deploy that:

    certbot renew --cert-name shop.example --force-renewal --new-key
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.checks.subjects import each_certificate
from staplecfg.checks.wording import moment
from staplecfg.model.finding import Severity
from staplecfg.model.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding for each certificate whose issuer has said that it is revoked."""
    for site, certificate, chain in each_certificate(facts):
        attempts = facts.attempts.get(chain.fingerprint)
        if attempts is not None and attempts.revoked_at is not None:
            problem = (
                f'certificate "{certificate.text}" (serial {chain.serial:x}) '
                f"was revoked by its issuer on {moment(attempts.revoked_at)}"
            )
            hint = "make a new key, have a new certificate issued, and deploy both"
            yield RULE.finding(certificate.location, problem, hint, site)


RULE = Rule("revoked", Severity.ERROR, __doc__ or "", check)
