"""A file is written by a panel or a configuration manager, so staplecfg leaves it alone.

What: the path or the first lines of a file that a site opens in say that
something else writes it: Plesk, cPanel, ISPConfig, HestiaCP, Puppet, Ansible,
Chef, Salt and the like.

Why: what is edited into such a file is gone when it is written anew, silently,
and the staples with it; the panel may also refuse a file it does not know.

Fix: put the lines into the template or the custom snippet the file is made
from. They are the same at every run, so they can be written there once:

    staplecfg diff --force --site shop.example

To edit the file all the same:

    staplecfg apply --force
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.model.finding import Severity
from staplecfg.model.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding


def check(facts: Facts) -> Iterator[Finding]:
    """Yield what reading found out about who writes the files that sites open in."""
    for file in dict.fromkeys(site.file for site in facts.configuration.sites):
        source = facts.configuration.files.get(file)
        found = source.refusal if source is not None else None
        if found is not None and found.rule == RULE.id:
            yield RULE.finding(found.location, found.problem, found.hint)


RULE = Rule("generated-file", Severity.WARNING, __doc__ or "", check)
