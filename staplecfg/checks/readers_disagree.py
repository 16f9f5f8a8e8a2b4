"""Two readers of the server's language understand a file differently.

What: staplecfg reads a file with the server's own rules, and once more with an
independent parser (for nginx that is crossplane); Apache is also asked which
files and virtual hosts it finds (`-t -D DUMP_VHOSTS`). They found different things.

Why: as long as both say the same, a mistake in either cannot hide. Where they
differ, one of them is wrong, and staplecfg reports what the server's rules give but
edits nothing in that file: a wrong edit takes a site down.

Fix: look at the line. Usual causes are control characters that only one of the
two takes for a blank and, in nginx, `${` with a blank before its `}`. Quote the
argument, or write it without them:

    add_header X-Note "${a b}";
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.model.errors import NotUnderstood
from staplecfg.model.finding import Severity
from staplecfg.model.rule import Rule
from staplecfg.servers.registry import SERVERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding for each file that the two readers do not agree on."""
    dialect = SERVERS[facts.configuration.server].dialect
    for source in facts.configuration.files.values():
        try:
            found = dialect.disagreement(source.data, source.path)
        except NotUnderstood:
            continue  # configuration-trouble has said so, with the line
        if found is not None:
            yield RULE.finding(found.location, found.problem, found.hint)
    # What the server itself reads otherwise was found when it was asked.
    refusals = (source.refusal for source in facts.configuration.files.values())
    for found in (*facts.configuration.findings, *refusals):
        if found is not None and found.rule == RULE.id:
            yield found


RULE = Rule("readers-disagree", Severity.WARNING, __doc__ or "", check)
