"""A certificate file that is configured cannot be read or holds no certificate.

What: the file is missing, forbidden, empty, a directory, or holds something
else: often the private key, where the two paths were swapped.

Why: a server does not start, and does not reload, with such a file. What is
running goes on until the next restart, and then the site is down.

Fix: put the certificate, followed by its intermediates, where the line points,
or correct the path. Relative paths count from the directory of nginx.conf, and
from ServerRoot in Apache.

Problematic:

    ssl_certificate     /etc/ssl/private/shop.key;

Correct:

    ssl_certificate     /etc/ssl/certs/shop-fullchain.pem;
    ssl_certificate_key /etc/ssl/private/shop.key;
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.model.chain import NoChain
from staplecfg.model.finding import Severity
from staplecfg.model.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding for each certificate file that gave no chain."""
    told = set()
    for site in facts.configuration.sites:
        for certificate in site.certificates:
            chain = facts.chains.get(certificate.path) if certificate.path else None
            if isinstance(chain, NoChain) and chain.path not in told:
                told.add(chain.path)
                problem = f'certificate "{certificate.text}": {chain.problem}'
                hint = chain.hint or f"put the certificate and its intermediates at {chain.path}"
                yield RULE.finding(certificate.location, problem, hint, site)


RULE = Rule("certificate-unreadable", Severity.ERROR, __doc__ or "", check)
