"""Stapling is on and there is no `SSLStaplingCache`: the next reload ends the server.

What: `SSLUseStapling on` is in effect in a virtual host with `SSLEngine on`, and
no `SSLStaplingCache` stands at server level.

Why: `apachectl -t` says "Syntax OK". Only a start or a reload finds out:
`AH01958: no stapling cache available`, `AH02312: Fatal error initialising
mod_ssl, exiting`. At a graceful reload the running master ends, and every site
with it (measured with 2.4.71). Taking the line out later does the same, so
logrotate's nightly reload may be what takes the server down.

Fix: before anything reloads, add one line outside every `<VirtualHost>`, and
load mod_socache_shmcb; `staplecfg apply` does both.

Problematic:

    <VirtualHost *:443>
        SSLUseStapling on
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
from staplecfg.servers.apache.cache import size_for
from staplecfg.servers.apache.rules.subjects import cache_of, certificates, undecided
from staplecfg.servers.apache.values import flag

if TYPE_CHECKING:
    from collections.abc import Iterator

    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding for each line that switches stapling on where nothing can be cached."""
    configuration = facts.configuration
    if cache_of(configuration) is not None or undecided("SSLStaplingCache", configuration):
        return
    told = set()
    size = size_for(certificates(iter(facts.configuration.sites), facts))
    for site in facts.configuration.sites:
        switch = site.setting("SSLUseStapling")
        if switch is None or not flag(switch):
            continue
        # It ends the server also where mod_md staples.
        if switch.location not in told:
            told.add(switch.location)
            problem = "without `SSLStaplingCache` httpd ends at the next reload; -t does not tell"
            hint = f"add `SSLStaplingCache shmcb:ssl_stapling({size})` outside every virtual host"
            yield RULE.finding(switch.location, problem, hint, site)


RULE = Rule("stapling-cache-missing", Severity.ERROR, __doc__ or "", check)
