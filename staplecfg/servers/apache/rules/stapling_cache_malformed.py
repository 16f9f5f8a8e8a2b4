"""`SSLStaplingCache` names a cache that httpd does not know, or a size it does not take.

What: the kind of cache is misspelt, in capitals, `none`, or left out; or the
size is not a plain number of bytes in parentheses, from 8192 up to 4 GiB.

Why: httpd does not start with it; what is running goes on until the next
restart. Kinds are compared in their case: `SHMCB` is none. There is no `none`,
though `SSLSessionCache` has one, and no `K` or `M` behind a size.

Fix: write the kind in small letters and the size in bytes, for instance as
below. The path names nothing on Linux, where the memory is anonymous.

Problematic:

    SSLStaplingCache SHMCB:/run/apache2/ssl_stapling(128K)

Correct:

    SSLStaplingCache shmcb:/run/apache2/ssl_stapling(131072)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.model.finding import Severity
from staplecfg.model.rule import Rule
from staplecfg.servers.apache.cache import NoCache, parse
from staplecfg.servers.apache.rules.subjects import has_module

if TYPE_CHECKING:
    from collections.abc import Iterator

    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding for each line that keeps httpd from starting."""
    for setting in facts.configuration.globals.get("SSLStaplingCache", ()):
        if len(setting.args) != 1:
            problem = f"`SSLStaplingCache` takes one argument, not {len(setting.args)}"
            yield RULE.finding(setting.location, problem, "quote an argument that holds blanks")
            continue
        (text,) = setting.args
        found = parse(text)
        # Somebody's own module may have a kind that httpd does not come with.
        if isinstance(found, NoCache) and not has_module(facts, f"socache_{text.split(':')[0]}"):
            hint = "write `SSLStaplingCache shmcb:ssl_stapling(131072)`"
            yield RULE.finding(setting.location, found.problem, hint)


RULE = Rule("stapling-cache-malformed", Severity.ERROR, __doc__ or "", check)
