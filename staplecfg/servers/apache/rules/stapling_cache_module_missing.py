"""The module for the stapling cache is not loaded, and httpd does not start.

What: `SSLStaplingCache` names a kind of cache, and the module that has it is
neither compiled in nor loaded.

Why: `SSLStaplingCache: 'shmcb' stapling cache not supported (known names: )`.
Debian enables mod_socache_shmcb along with mod_ssl; elsewhere the line that
loads it is often commented out.

Fix: load the module, then test:

    a2enmod socache_shmcb                     # Debian, Ubuntu
    LoadModule socache_shmcb_module modules/mod_socache_shmcb.so
    apachectl -t
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.model.finding import Severity
from staplecfg.model.rule import Rule
from staplecfg.servers.apache.cache import MODULES, Cache, parse
from staplecfg.servers.apache.rules.subjects import has_module

if TYPE_CHECKING:
    from collections.abc import Iterator

    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding for each cache without its module, where what is compiled in is known."""
    for setting in facts.configuration.globals.get("SSLStaplingCache", ()):
        found = parse(setting.args[0]) if setting.args else None
        if isinstance(found, Cache) and has_module(facts, MODULES[found.kind]) is False:
            module = MODULES[found.kind]
            problem = f"mod_{module} is not loaded: httpd does not start with this line"
            yield RULE.finding(setting.location, problem, f"load {module}_module")


RULE = Rule("stapling-cache-module-missing", Severity.ERROR, __doc__ or "", check)
