"""A site includes staplecfg's state, and there is none.

What: staplecfg's include line is in the block, and no file matches it.

Why: an include with a pattern that matches nothing is no error, so nginx starts
with `ssl_stapling on` and no staple: it looks the responder up and asks it
itself, as if the line were not there, late and with a wait for DNS in each
block. It happens where configuration is copied to a machine before staplecfg
ran there, or where /var/lib/staplecfg was not restored.

Fix: have the state written; without a staple it says that there is none yet:

    staplecfg warm
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from staplecfg.model.errors import Unreadable
from staplecfg.model.finding import Severity
from staplecfg.model.rule import Rule
from staplecfg.servers.nginx.rules.subjects import our_includes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding for each include line of ours that leads nowhere."""
    for site in facts.configuration.sites:
        for location, words, _ in our_includes(site, facts.settings.state_dir):
            directory = PurePosixPath(words[1]).parent
            try:
                names = facts.files.listing(directory)
            except Unreadable as error:
                problem = f'"{directory}" cannot be listed: {error.problem}'
                yield RULE.finding(location, problem, "run staplecfg as root", site)
                continue
            if not any(name.endswith(".conf") and name[0] != "." for name in names):
                problem = f'nothing matches "{words[1]}": nginx is not told of any staple'
                yield RULE.finding(location, problem, "run staplecfg warm", site)


RULE = Rule("include-without-state", Severity.WARNING, __doc__ or "", check)
