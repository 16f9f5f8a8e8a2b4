"""`SSLStaplingCache` stands inside a virtual host, and httpd does not start.

What: the line is between `<VirtualHost>` and `</VirtualHost>`, or in a file that
is included there.

Why: there is one cache for the whole server. httpd refuses the line:
`SSLStaplingCache cannot occur within <VirtualHost> section`. What is running
goes on until the next restart. Much advice on stapling shows both lines
together, as if they belonged to one place.

Fix: move it out of the virtual host, to where `SSLSessionCache` stands. It may
be inside `<IfModule>`, and in any file.

Problematic:

    <VirtualHost *:443>
        SSLUseStapling on
        SSLStaplingCache shmcb:ssl_stapling(131072)
    </VirtualHost>

Correct:

    SSLStaplingCache shmcb:ssl_stapling(131072)
    <VirtualHost *:443>
        SSLUseStapling on
    </VirtualHost>
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.model.finding import Severity
from staplecfg.model.rule import Rule
from staplecfg.model.site import Origin

if TYPE_CHECKING:
    from collections.abc import Iterator

    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding for each such line."""
    for site in facts.configuration.sites:
        # The main server has no name: what stands there stands where it should.
        for setting in site.settings.get("SSLStaplingCache", ()):
            if setting.origin is not Origin.INHERITED and site.block.name:
                problem = "httpd refuses `SSLStaplingCache` inside a virtual host"
                hint = "move the line out of the virtual host: there is one cache for all"
                yield RULE.finding(setting.location, problem, hint, site)


RULE = Rule("stapling-cache-in-virtual-host", Severity.ERROR, __doc__ or "", check)
