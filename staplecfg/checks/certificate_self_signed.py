"""A certificate is its own issuer, so nobody can vouch for it.

What: subject and issuer of the certificate are the same.

Why: OCSP is what an issuer says about a certificate it issued (RFC 6960, 2).
Nobody stands behind a self-signed one, so there is nothing to staple. That is
normal for a default server that only turns strangers away, and staplecfg
leaves such a site alone.

Fix: nothing, if it is meant. For a real site have the certificate issued by a
certificate authority, a public one or your own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.checks.subjects import each_certificate, self_signed
from staplecfg.model.finding import Severity
from staplecfg.model.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding for each self-signed certificate."""
    for site, certificate, chain in each_certificate(facts):
        if self_signed(chain):
            problem = f'certificate "{certificate.text}" is self-signed: there is nothing to staple'
            yield RULE.finding(certificate.location, problem, site=site)


RULE = Rule("certificate-self-signed", Severity.NOTE, __doc__ or "", check)
