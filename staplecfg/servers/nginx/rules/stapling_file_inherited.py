"""One staple file is inherited by sites that present different certificates.

What: `ssl_stapling_file` stands outside the server blocks, and blocks with
different certificates staple what it holds.

Why: a staple is about one certificate. nginx hands the same bytes to all of
them, without a warning, and a client that gets another certificate's staple
turns away: Firefox shows MOZILLA_PKIX_ERROR_OCSP_RESPONSE_FOR_CERT_MISSING.

Fix: move the line into the one block it is for, and let staplecfg care for the
others. A block can be freed of it with `ssl_stapling_file "";`.

Problematic:

    http {
        ssl_stapling on;
        ssl_stapling_file /etc/nginx/shop.der;
        server { ssl_certificate /etc/ssl/shop.pem; }
        server { ssl_certificate /etc/ssl/blog.pem; }
    }
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.model.finding import Severity
from staplecfg.model.rule import Rule
from staplecfg.model.site import Origin
from staplecfg.servers.nginx.stapling import stapling

if TYPE_CHECKING:
    from collections.abc import Iterator

    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding
    from staplecfg.model.site import Setting
    from staplecfg.model.source import Location


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding for each inherited line that reaches different certificates."""
    lines: dict[Location, Setting] = {}
    reached: dict[Location, set[tuple[str, ...]]] = {}
    for site in facts.configuration.sites:
        state = stapling(site, facts.configuration)
        if not state.on or state.file is None or state.file.origin is not Origin.INHERITED:
            continue
        lines[state.file.location] = state.file
        certificates = tuple(str(cert.path or cert.text) for cert in site.certificates)
        reached.setdefault(state.file.location, set()).add(certificates)
    for location, setting in lines.items():
        count = len(reached[location])
        if count > 1:
            problem = (
                f'the staple "{setting.args[0]}" is served with {count} different certificates'
            )
            hint = "move the line into the server block of the certificate it is about"
            yield RULE.finding(location, problem, hint)


RULE = Rule("stapling-file-inherited", Severity.ERROR, __doc__ or "", check)
