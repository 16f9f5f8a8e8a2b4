"""mod_md answers for this site, so what mod_ssl is told about stapling has no effect.

What: `MDStapling on` is in effect together with `SSLUseStapling` or
`SSLStaplingForceURL` in the virtual host itself.

Why: mod_ssl asks mod_md first, and where that knows the certificate nothing else
is tried, even if it has no response. `SSLUseStapling off` does not switch it off,
though its documentation said so once: staples are sent all the same (measured
with 2.4.71). `SSLStaplingForceURL` is not heeded: mod_md asks the responder in
the certificate.

Fix: decide for one of them. `MDStapling off` in the virtual host hands it back to
mod_ssl:

    MDStapling off
    SSLUseStapling off

Problematic:

    MDStapling on
    <VirtualHost *:443>
        SSLUseStapling off
    </VirtualHost>
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.model.finding import Severity
from staplecfg.model.rule import Rule
from staplecfg.model.site import Origin
from staplecfg.servers.apache.rules.subjects import by_mod_md
from staplecfg.servers.apache.values import flag

if TYPE_CHECKING:
    from collections.abc import Iterator

    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding

NAMES = ("SSLUseStapling", "SSLStaplingForceURL")


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding for each site whose own line mod_md makes void."""
    for site, module in by_mod_md(facts):
        for setting in filter(None, map(site.setting, NAMES)):
            off = setting.directive.name == NAMES[0] and not flag(setting)
            # `SSLUseStapling on` for all sites is what others of them may need.
            if setting.origin is Origin.INHERITED and not off:
                continue
            words = " ".join(setting.directive.words)
            what = "staples are sent all the same" if off else "mod_md answers here"
            problem = f"`{words}` has no effect: {what} ({module.location})"
            hint = "add `MDStapling off` to the virtual host, or take this line out"
            yield RULE.finding(setting.location, problem, hint, site)
            break


RULE = Rule("md-shadows-mod-ssl", Severity.WARNING, __doc__ or "", check)
