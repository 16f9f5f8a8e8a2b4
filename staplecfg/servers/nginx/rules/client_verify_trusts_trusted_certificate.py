"""Client certificates are verified, and a file meant for stapling lets strangers in.

What: `ssl_verify_client` is on or optional, and `ssl_trusted_certificate` holds
authorities that `ssl_client_certificate` does not.

Why: nginx puts both files into one store and believes every authority in it,
for responders and for clients alike. Advice on stapling says to put the chain
of the server's certificate into `ssl_trusted_certificate`; with a public
authority's chain there, anybody's certificate from that authority logs in
(shown twice with nginx 1.22.1). `$ssl_client_verify` then says SUCCESS.

Fix: take `ssl_trusted_certificate` out of this block. A staple file needs none:
run `staplecfg apply`. An `http`-level line is overruled in the block with one
that names the same file as `ssl_client_certificate`.

Problematic:

    ssl_client_certificate  /etc/ssl/our-clients-ca.pem;
    ssl_verify_client       on;
    ssl_trusted_certificate /etc/ssl/public-chain.pem;

Correct:

    ssl_client_certificate  /etc/ssl/our-clients-ca.pem;
    ssl_verify_client       on;
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from staplecfg.model.errors import Unreadable
from staplecfg.model.finding import Severity
from staplecfg.model.rule import Rule
from staplecfg.servers.nginx.stapling import absolute

if TYPE_CHECKING:
    from collections.abc import Iterator

    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding
    from staplecfg.model.site import Setting, Site

VERIFYING = frozenset({"on", "optional"})
"""`optional_no_ca` believes nobody and leaves the decision to the application."""

LABEL = rb"(?:X509 |TRUSTED )?CERTIFICATE"
PEM = re.compile(rb"-----BEGIN " + LABEL + rb"-----(.*?)-----END " + LABEL + rb"-----", re.DOTALL)


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding for each site whose clients are believed for more than the client CA."""
    for site in facts.configuration.sites:
        if site.value("ssl_verify_client").lower() not in VERIFYING:
            continue
        trusted = site.setting("ssl_trusted_certificate")
        client = site.setting("ssl_client_certificate")
        # Without a client file nginx (1.27.3 and later) takes the trusted one
        # as the list of client authorities, and that is what its owner means.
        if trusted is None or client is None or not site.value("ssl_trusted_certificate"):
            continue
        wrong = _strangers(trusted, client, facts)
        if wrong is not None:
            yield RULE.finding(trusted.location, wrong, _hint(site), site)


def _strangers(trusted: Setting, client: Setting, facts: Facts) -> str | None:
    """Say which authorities get in by `trusted` alone, or why that cannot be told."""
    try:
        more = _bodies(trusted, facts) - _bodies(client, facts)
    except Unreadable as error:
        where = f"{error.at}: " if error.at else ""
        return f"cannot tell whether this file lets strangers' clients in: {where}{error.problem}"
    if not more:
        return None
    count = "one authority" if len(more) == 1 else f"{len(more)} authorities"
    return f"client certificates of {count} more than `ssl_client_certificate` has are accepted"


def _bodies(setting: Setting, facts: Facts) -> set[bytes]:
    """Return the certificates in the file `setting` names, as base64 without its line ends."""
    path = absolute(setting.args[0], facts.configuration)
    return {b"".join(body.split()) for body in PEM.findall(facts.files.read(path))}


def _hint(site: Site) -> str:
    client = site.value("ssl_client_certificate")
    return f"take the line out of what this block inherits, or set it to {client} in the block"


RULE = Rule("client-verify-trusts-trusted-certificate", Severity.ERROR, __doc__ or "", check)
