"""The intermediate that issued a certificate is missing from its file.

What: the file holds the server's certificate, and nothing in it, nor any root
this machine trusts, issued that.

Why: the server must send the intermediates (RFC 8446, 4.4.2); clients that do
not have them turn away, and it works by chance where they do. Without the
issuer's certificate nginx ignores stapling (`issuer certificate not found`), so
does Apache (`AH02217`), and nobody can ask for a staple: the question holds a
hash of the issuer's key.

Fix: append the intermediate. certbot and acme.sh have it: use fullchain.pem
instead of cert.pem.

Problematic:

    ssl_certificate /etc/letsencrypt/live/shop.example/cert.pem;

Correct:

    ssl_certificate /etc/letsencrypt/live/shop.example/fullchain.pem;
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.checks.subjects import each_file, self_signed
from staplecfg.model.finding import Severity
from staplecfg.model.rule import Rule
from staplecfg.pki.issuance import issuer_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from staplecfg.model.chain import Chain
    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding for each file that lacks the issuer of its first certificate."""
    for site, certificate, chain in each_file(facts):
        # A file that holds others, and none fits, is issuer-unknown's.
        if self_signed(chain) or (chain.others and chain.issuer is None):
            continue
        if _missing(chain, facts):
            issuer = chain.leaf.issuer.rfc4514_string()
            problem = f'"{certificate.text}" does not hold its issuer\'s certificate, "{issuer}"'
            hint = f"append that certificate to {chain.path}, or use the fullchain file"
            yield RULE.finding(certificate.location, problem, hint, site)


def _missing(chain: Chain, facts: Facts) -> bool:
    if issuer_of(chain.leaf, chain.others) is not None:
        return False
    return issuer_of(chain.leaf, facts.roots) is None


RULE = Rule("chain-incomplete", Severity.WARNING, __doc__ or "", check)
