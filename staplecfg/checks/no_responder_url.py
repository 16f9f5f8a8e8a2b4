"""A certificate names no OCSP responder, so there is nothing to staple.

What: the certificate has no id-ad-ocsp address in its authority information
access extension (RFC 5280, 4.2.2.1).

Why: this is normal. OCSP is optional for public certificates since March 2024
(CA/Browser Forum ballot SC-063), and Let's Encrypt has put no address into its
certificates since May 2025. nginx then ignores `ssl_stapling on`, and Apache
`SSLUseStapling on` (AH02218), with a line in the log at every start and reload.

Fix: nothing has to be done; staplecfg adds no stapling for such a certificate.
Stapling lines that are there do nothing and can be taken out by hand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.checks.subjects import each_certificate, presented, self_signed
from staplecfg.model.finding import Severity
from staplecfg.model.rule import Rule
from staplecfg.servers.in_effect import in_effect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from staplecfg.model.chain import Chain
    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding
    from staplecfg.servers.stapling import Stapling


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding for each certificate without a responder that demands no staple."""
    inert = {
        chain.fingerprint
        for site, _, chain in presented(facts)
        if _silent(chain) and _inert(in_effect(site, facts.configuration))
    }
    for site, certificate, chain in each_certificate(facts):
        if not _silent(chain):
            continue
        problem = f'certificate "{certificate.text}" names no OCSP responder: nothing to staple'
        if chain.fingerprint in inert:
            problem += "; the stapling lines for it do nothing"
            yield RULE.finding(certificate.location, problem, "take those lines out", site)
        else:
            yield RULE.finding(certificate.location, problem, site=site)


def _silent(chain: Chain) -> bool:
    return not (chain.responders or chain.must_staple or self_signed(chain))


def _inert(stapling: Stapling) -> bool:
    return stapling.on and stapling.file is None and stapling.responder is None


RULE = Rule("no-responder-url", Severity.NOTE, __doc__ or "", check)
