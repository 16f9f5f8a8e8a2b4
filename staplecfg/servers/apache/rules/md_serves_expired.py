"""mod_md goes on serving a staple after its end.

What: `MDStapling on` is in effect.

Why: mod_md keeps the last response while renewals fail, which bridges outages,
but it looks at no date when it serves: once nextUpdate has passed it sends the
expired response until a new one comes (measured with 2.4.71). Clients that look
at staples end the handshake then; without a staple they would go on. It does
not verify the responses it fetches either.

Fix: nothing, while responders answer. Have staples watched, or let staplecfg
answer, which withdraws what has expired:

    staplecfg status
    staplecfg apply --delivery responder
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.model.finding import Severity
from staplecfg.model.rule import Rule
from staplecfg.servers.apache.rules.subjects import by_mod_md

if TYPE_CHECKING:
    from collections.abc import Iterator

    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding for each line that has mod_md staple."""
    told = set()
    for site, module in by_mod_md(facts):
        if module.location not in told:
            told.add(module.location)
            problem = "mod_md serves a staple after its end when it cannot be renewed"
            yield RULE.finding(module.location, problem, "watch staplecfg status", site)


RULE = Rule("md-serves-expired", Severity.NOTE, __doc__ or "", check)
