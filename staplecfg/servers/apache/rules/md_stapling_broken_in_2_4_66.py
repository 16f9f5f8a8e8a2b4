"""mod_md of httpd 2.4.66 does not staple for certificates that it does not manage.

What: this is httpd 2.4.66, and `MDStapling on` is in effect in a virtual host
that no `MDomain` names.

Why: mod_md 2.6.0 to 2.6.6, which 2.4.66 came with, ignores `MDStapleOthers`:
nothing is stapled for such certificates, whatever is set. Mended in mod_md 2.6.7,
httpd 2.4.67 (their change logs).

Fix: update httpd, or staple with mod_ssl in the meantime:

    MDStapling off
    SSLUseStapling on

A distribution may have mended its own 2.4.66: then a handshake tells.

    staplecfg probe
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.model.finding import Severity
from staplecfg.model.rule import Rule
from staplecfg.servers.apache.managed import managed
from staplecfg.servers.apache.rules.subjects import by_mod_md

if TYPE_CHECKING:
    from collections.abc import Iterator

    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding

BROKEN = (2, 4, 66)


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding for each site that this version leaves without a staple."""
    if facts.installation.version[:3] != BROKEN:
        return
    for site, module in by_mod_md(facts):
        if managed(site, facts.configuration) is None:
            problem = "mod_md of httpd 2.4.66 staples only for the domains it manages"
            yield RULE.finding(module.location, problem, "update httpd to 2.4.67", site)


RULE = Rule("md-stapling-broken-in-2-4-66", Severity.ERROR, __doc__ or "", check)
