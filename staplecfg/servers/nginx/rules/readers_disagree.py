"""Two readers of nginx's language understand a file differently.

What: staplecfg reads a file with nginx's own token rules, and once more with
crossplane, an independent parser; the two found different directives.

Why: as long as both say the same, a mistake in either cannot hide. Where they
differ, one of them is wrong, and staplecfg reports what nginx's rules give but
edits nothing in that file: a wrong edit takes a site down.

Fix: look at the line. Usual causes are `${` with a blank before its `}`, and
control characters that only one of the two takes for a blank. Quote the
argument, or write it without them:

    add_header X-Note "${a b}";
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.model.errors import NotUnderstood
from staplecfg.model.finding import Severity
from staplecfg.model.rule import Rule
from staplecfg.servers.nginx.dialect import DIALECT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding for each file that the two readers do not agree on."""
    for source in facts.configuration.files.values():
        try:
            found = DIALECT.disagreement(source.data, source.path)
        except NotUnderstood:
            continue  # configuration-trouble has said so, with the line
        if found is not None:
            yield RULE.finding(found.location, found.problem, found.hint)


RULE = Rule("readers-disagree", Severity.WARNING, __doc__ or "", check)
