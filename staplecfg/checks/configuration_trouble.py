"""A part of the configuration cannot be read or understood.

What: an included file is missing, forbidden, or breaks the server's grammar; an
include leads in a circle; or what is in effect depends on something that cannot
be known here.

Why: what stands in that file is not known, so what is in effect may differ from
what is said here. staplecfg goes on with the rest and edits nothing there.

Fix: see what the server itself says, and run staplecfg as a user who may read
the whole configuration:

    nginx -t
    apachectl -t
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from staplecfg.checks import generated_file, readers_disagree
from staplecfg.model.finding import Severity
from staplecfg.model.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding

TOLD_BY_OTHERS = frozenset({generated_file.RULE.id, readers_disagree.RULE.id})


def check(facts: Facts) -> Iterator[Finding]:
    """Yield what went wrong while reading, as severe as it was found to be."""
    refusals = (source.refusal for source in facts.configuration.files.values())
    for found in (*facts.configuration.findings, *refusals):
        if found is not None and found.rule not in TOLD_BY_OTHERS:
            # Under this id `explain` has something to say of it.
            yield replace(found, rule=RULE.id)


RULE = Rule("configuration-trouble", Severity.WARNING, __doc__ or "", check)
