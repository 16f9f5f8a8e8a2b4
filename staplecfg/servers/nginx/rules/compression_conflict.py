"""Stapling and certificate compression exclude each other.

What: `ssl_certificate_compression on` and `ssl_stapling on` are in effect in the
same block.

Why: nginx 1.29.3 and later refuse that: `"ssl_stapling" is incompatible with
"ssl_certificate_compression"`. The test fails, a reload is not taken, and a
restart leaves the server down, even on an OpenSSL that cannot compress.
Compression exists since 1.29.1, so two versions only take both.

Fix: decide for one of them; staplecfg adds no stapling beside compression.

Problematic:

    ssl_certificate_compression on;
    ssl_stapling on;

Correct:

    ssl_certificate_compression off;
    ssl_stapling on;
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.model.finding import Severity
from staplecfg.model.rule import Rule
from staplecfg.servers.nginx.rules.subjects import older
from staplecfg.servers.nginx.stapling import flag, stapling

if TYPE_CHECKING:
    from collections.abc import Iterator

    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding

REFUSED_FROM = (1, 29, 3)


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding for each site with both, unless this nginx is known to take it."""
    if older(facts.installation, REFUSED_FROM):
        return
    for site in facts.configuration.sites:
        compression = site.setting("ssl_certificate_compression")
        if compression is None or not flag(compression):
            continue
        if stapling(site, facts.configuration).on:
            problem = "nginx 1.29.3 and later refuse compression and `ssl_stapling on` together"
            hint = "add `ssl_certificate_compression off;` to the block"
            yield RULE.finding(compression.location, problem, hint, site)


RULE = Rule("compression-conflict", Severity.ERROR, __doc__ or "", check)
