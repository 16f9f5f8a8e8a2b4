"""mod_ssl cannot find the issuer of a certificate, so it staples nothing for it.

What: stapling is on, and the issuer's certificate is neither behind the
certificate in its file nor in `SSLCertificateChainFile`.

Why: a question to a responder names the issuer's key, so mod_ssl needs its
certificate, at start. Without it: `AH02217: can't retrieve issuer certificate!`,
`AH02604: Unable to configure certificate for stapling`. The server runs, and no
staple is ever sent; mod_md looks in the same places. The system's own store of
roots is not one of them. `apachectl -t` says nothing.

Fix: use the file that holds the intermediates as well.

Problematic:

    SSLCertificateFile /etc/letsencrypt/live/shop.example/cert.pem

Correct:

    SSLCertificateFile /etc/letsencrypt/live/shop.example/fullchain.pem
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.model.finding import Severity
from staplecfg.model.rule import Rule
from staplecfg.servers.apache.rules.subjects import chains_of
from staplecfg.servers.apache.stapling import stapling

if TYPE_CHECKING:
    from collections.abc import Iterator

    from staplecfg.model.chain import Chain
    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding

STORES = ("SSLCACertificateFile", "SSLCACertificatePath")
"""Meant for clients' certificates, but mod_ssl finds issuers there too: nothing is said then."""


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding for each site and certificate that staples nothing for this reason."""
    for site in facts.configuration.sites:
        if not stapling(site, facts.configuration).on or any(map(site.setting, STORES)):
            continue
        for certificate in site.certificates:
            chain = next((c for c in chains_of(site, facts) if c.path == certificate.path), None)
            if chain is not None and _missing(chain):
                problem = f'httpd finds no issuer for "{certificate.text}" and staples nothing'
                hint = "name the file that holds the intermediates too"
                yield RULE.finding(certificate.location, problem, hint, site)


def _missing(chain: Chain) -> bool:
    if chain.leaf.issuer == chain.leaf.subject:
        return False
    return chain.issuer is None or chain.issuer not in chain.others


RULE = Rule("stapling-issuer-missing", Severity.WARNING, __doc__ or "", check)
