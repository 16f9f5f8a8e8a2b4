"""A certificate does not lead to a root that this machine trusts.

What: following the issuers from the certificate upwards ends at one that is
neither a root of the system's store nor issued by one; or an intermediate on
the way has expired.

Why: clients turn away for the same reason, unless the root is your own and they
have it. staplecfg treats responders of an authority it does not know with more
care: addresses on private networks are refused, for example.

Fix: for a public authority, renew the certificate and deploy the intermediates
that come with it. For your own, say so:

    staplecfg apply --trust /etc/ssl/our-root.pem
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.checks.subjects import each_file, self_signed
from staplecfg.model.finding import Severity
from staplecfg.model.rule import Rule
from staplecfg.pki.issuance import issuer_of
from staplecfg.pki.trust import Untrusted, trust

if TYPE_CHECKING:
    from collections.abc import Iterator

    from staplecfg.model.chain import Chain
    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding for each untrusted chain; none where no roots could be read."""
    if not facts.roots:
        return
    for site, certificate, chain in each_file(facts):
        if _told_by_others(chain, facts):
            continue
        verdict = trust(chain, facts.roots, facts.now)
        if isinstance(verdict, Untrusted):
            problem = f'"{certificate.text}" leads to no trusted root: {verdict.problem}'
            hint = "deploy the intermediates of today, or name your own root with --trust FILE"
            yield RULE.finding(certificate.location, problem, hint, site)


def _told_by_others(chain: Chain, facts: Facts) -> bool:
    """Say whether another rule has the better words: about time, or about the first step up."""
    if not chain.not_before <= facts.now <= chain.not_after or self_signed(chain):
        return True
    return issuer_of(chain.leaf, (*chain.others, *facts.roots)) is None


RULE = Rule("chain-untrusted", Severity.WARNING, __doc__ or "", check)
