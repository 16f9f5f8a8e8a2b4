"""nginx before 1.27.2 cannot staple in `stream`.

What: `ssl_stapling` is in effect in a `stream` server block, and the version is
below 1.27.2.

Why: the stream module knows the stapling directives since 1.27.2. Before that
nginx does not start with them: `unknown directive "ssl_stapling"`.

Fix: update nginx to 1.27.2 or later, or take the lines out of `stream`. With
TLS ended in `http` instead, every version can staple.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.model.finding import Severity
from staplecfg.model.rule import Rule
from staplecfg.servers.nginx.rules.subjects import STREAM_STAPLES_FROM, older

if TYPE_CHECKING:
    from collections.abc import Iterator

    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding

NAMES = ("ssl_stapling", "ssl_stapling_file", "ssl_stapling_responder", "ssl_stapling_verify")


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding for each stream site with a directive this nginx does not know."""
    if not older(facts.installation, STREAM_STAPLES_FROM):
        return
    version = ".".join(str(part) for part in facts.installation.version)
    for site in facts.configuration.sites:
        present = next((s for s in map(site.setting, NAMES) if s is not None), None)
        if site.context == "stream" and present is not None:
            problem = f"`{present.directive.name}` in stream needs nginx 1.27.2; this is {version}"
            hint = "update nginx, or take the stapling lines out of this block"
            yield RULE.finding(present.location, problem, hint, site)


RULE = Rule("stream-stapling-version", Severity.ERROR, __doc__ or "", check)
