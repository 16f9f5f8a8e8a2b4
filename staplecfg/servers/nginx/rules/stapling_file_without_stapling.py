"""A staple file is named, and stapling is not on.

What: `ssl_stapling_file` is in effect where `ssl_stapling on` is not.

Why: nginx then does not even open the file, and says nothing about it: it can
be missing, or expired for a year. Nothing is stapled.

Fix: switch stapling on in the same block, or take the line out. A file that is
served must be kept fresh by someone: nginx looks at nothing in it.

Problematic:

    ssl_stapling_file /etc/nginx/shop.der;

Correct:

    ssl_stapling on;
    ssl_stapling_file /etc/nginx/shop.der;
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
    """Yield one finding for each site whose staple file is never opened."""
    for site in facts.configuration.sites:
        state = stapling(site, facts.configuration)
        if state.file is not None and not state.on:
            problem = "`ssl_stapling_file` does nothing here: `ssl_stapling` is not on"
            if state.switch is not None:
                problem += f" ({state.switch.location})"
            hint = "add `ssl_stapling on;` to the block, or take the line out"
            yield RULE.finding(state.file.location, problem, hint, site)


RULE = Rule("stapling-file-without-stapling", Severity.WARNING, __doc__ or "", check)
