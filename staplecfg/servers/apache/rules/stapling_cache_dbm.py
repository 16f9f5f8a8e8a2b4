"""A dbm file is a bad stapling cache: httpd deletes it, and responses may not fit.

What: `SSLStaplingCache dbm:...`.

Why: the file is deleted at every graceful reload and stop, and with an explicit
path during the start as well (measured with 2.4.71), so it survives nothing
that shared memory would not survive either. Every look at it goes to disk, and
some kinds of dbm refuse entries above 950 bytes, which responses often are.

Fix: use shared memory, and load its module.

Problematic:

    SSLStaplingCache dbm:/var/cache/apache2/ssl_stapling

Correct:

    SSLStaplingCache shmcb:ssl_stapling(131072)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.model.finding import Severity
from staplecfg.model.rule import Rule
from staplecfg.servers.apache.cache import Cache, parse
from staplecfg.servers.apache.rules.subjects import cache_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding


def check(facts: Facts) -> Iterator[Finding]:
    """Yield a finding for the cache in effect if it is a dbm file."""
    setting = cache_of(facts.configuration)
    if setting is not None and parse(setting.args[0]) == Cache("dbm"):
        problem = "httpd deletes this cache at each reload, and it may be too small for responses"
        hint = "write `SSLStaplingCache shmcb:ssl_stapling(131072)`"
        yield RULE.finding(setting.location, problem, hint)


RULE = Rule("stapling-cache-dbm", Severity.WARNING, __doc__ or "", check)
