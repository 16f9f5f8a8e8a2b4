"""A certificate named by a variable is never stapled, and nginx does not say so.

What: `ssl_certificate` holds a variable, or the certificate itself (`data:`), in
a block where `ssl_stapling on` is in effect.

Why: such a certificate is loaded during the handshake, and stapling is prepared
when the configuration is read: nginx finds no certificate then and does
nothing, without a warning. Even a missing staple file goes unnoticed (measured
with 1.22.1 and 1.31.5). `$acme_certificate` of nginx-acme is such a variable.

Fix: name the file, one server block for each certificate.

Problematic:

    ssl_certificate /etc/ssl/$ssl_server_name.pem;

Correct:

    ssl_certificate /etc/ssl/shop.example.pem;
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.model.finding import Severity
from staplecfg.model.rule import Rule
from staplecfg.servers.nginx.stapling import stapling

if TYPE_CHECKING:
    from collections.abc import Iterator

    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding for each certificate of a stapling site that only a handshake loads."""
    for site in facts.configuration.sites:
        if not stapling(site, facts.configuration).on:
            continue
        for certificate in site.certificates:
            if certificate.path is None:
                kind = "`data:`" if certificate.text.startswith("data:") else "a variable"
                problem = (
                    f"`ssl_certificate` holds {kind}: nginx never staples for it, "
                    f"though `ssl_stapling` is on"
                )
                hint = "name the certificate's file, in a server block of its own"
                yield RULE.finding(certificate.location, problem, hint, site)


RULE = Rule("variable-certificate", Severity.WARNING, __doc__ or "", check)
