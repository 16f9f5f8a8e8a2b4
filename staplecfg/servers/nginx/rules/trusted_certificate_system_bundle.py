"""`ssl_trusted_certificate` names the system's bundle of roots.

What: the file is one of those a distribution keeps all its trusted roots in.

Why: before 1.27.2 nginx reads and keeps the bundle once for each server block:
1,000 blocks took 856 MB and 29 s for one `nginx -t`, instead of 57 MB and 1.3 s
(measured with 1.22.1). And every root in it is then believed when responses
are verified, and client certificates, where those are asked for.

Fix: name a file that holds the intermediate and the root of this certificate
alone. With a staple file nginx needs no such line for stapling.

Problematic:

    ssl_trusted_certificate /etc/ssl/certs/ca-certificates.crt;

Correct:

    ssl_trusted_certificate /etc/ssl/shop-issuers.pem;
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from staplecfg.model.finding import Severity
from staplecfg.model.rule import Rule
from staplecfg.servers.nginx.rules.subjects import older
from staplecfg.servers.nginx.stapling import absolute

if TYPE_CHECKING:
    from collections.abc import Iterator

    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding
    from staplecfg.model.source import Location

BUNDLES = frozenset(
    PurePosixPath(path)
    for path in (
        "/etc/ssl/certs/ca-certificates.crt",  # Debian, Arch, Alpine
        "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora, RHEL
        "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  # where that one leads
        "/etc/ssl/ca-bundle.pem",  # openSUSE
        "/var/lib/ca-certificates/ca-bundle.pem",  # where that one leads
        "/etc/ssl/cert.pem",  # Alpine, BSD
        "/etc/ssl/certs/ca-bundle.crt",
    )
)
READ_ONCE_FROM = (1, 27, 2)
"""From here on the bundle is read once and shared between blocks."""


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding for each line that makes this nginx read the bundle again and again."""
    if facts.installation.version and not older(facts.installation, READ_ONCE_FROM):
        return
    reached: dict[Location, int] = {}
    for site in facts.configuration.sites:
        setting = site.setting("ssl_trusted_certificate")
        if setting is None or not setting.args or not setting.args[0]:
            continue
        path = absolute(setting.args[0], facts.configuration)
        if BUNDLES & {path, facts.files.resolve(path)}:
            reached[setting.location] = reached.get(setting.location, 0) + 1
    for location, count in reached.items():
        blocks = "one server block" if count == 1 else f"each of {count} server blocks"
        problem = f"all the system's roots are read and kept for {blocks}"
        hint = "name a file with the issuers of this certificate alone, or take the line out"
        yield RULE.finding(location, problem, hint)


RULE = Rule("trusted-certificate-system-bundle", Severity.WARNING, __doc__ or "", check)
