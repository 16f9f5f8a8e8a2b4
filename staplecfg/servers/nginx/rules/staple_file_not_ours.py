"""A staple file that something else writes is in effect, so staplecfg only checks it.

What: `ssl_stapling_file` is set in words, and not by staplecfg.

Why: whoever wrote the line has something that keeps the file fresh, or had.
Two writers of one staple would undo each other's work. staplecfg judges what
the file holds at every check (staple-rejected) and leaves the rest alone.

Fix: nothing, while the other writer does its work. To hand the site over:

    staplecfg apply --adopt --site shop.example
"""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING

from staplecfg.model.finding import Severity
from staplecfg.model.rule import Rule
from staplecfg.servers.nginx.stapling import stapling

if TYPE_CHECKING:
    from collections.abc import Iterator

    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding for each site with a staple file outside our state."""
    for site in facts.configuration.sites:
        state = stapling(site, facts.configuration)
        if state.on and state.file is not None and state.path is not None:
            if facts.settings.state_dir in state.path.parents:
                continue
            problem = f'the staple "{state.path}" is written by something else; it is only checked'
            hint = f"run staplecfg apply --adopt --site {quote(site.title)}"
            yield RULE.finding(state.file.location, problem, hint, site)


RULE = Rule("staple-file-not-ours", Severity.NOTE, __doc__ or "", check)
