"""A stapling directive stands in a file that several sites include.

What: a line about stapling in effect here comes from a file that is read for
other sites too.

Why: what is changed there changes for all of them. staplecfg shows it and never
edits such a file for one site's sake; where the shared line is in the way of a
site, the site is left alone and said to be.

Fix: a shared `ssl_stapling on;` is fine. A shared `ssl_stapling_file` is not,
unless all those sites present one certificate. Move what is one site's own
into its server block.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.model.finding import Severity
from staplecfg.model.rule import Rule
from staplecfg.model.site import Origin
from staplecfg.servers.nginx.fit import ours
from staplecfg.servers.nginx.places import directory

if TYPE_CHECKING:
    from collections.abc import Iterator

    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding

NAMES = ("ssl_stapling", "ssl_stapling_file", "ssl_stapling_responder", "ssl_stapling_verify")


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding for each shared line about stapling that is not our own state."""
    told = set()
    for site in facts.configuration.sites:
        for name in NAMES:
            setting = site.setting(name)
            # What stands in `http` is shared by its place, which nobody overlooks.
            if setting is None or setting.origin is Origin.INHERITED:
                continue
            if not setting.shared or setting.location in told:
                continue
            told.add(setting.location)
            if not ours(setting, directory(facts.settings.state_dir)):
                words = " ".join(setting.directive.words)
                problem = f"`{words}` stands in a file that other sites include too"
                yield RULE.finding(setting.location, problem)


RULE = Rule("shared-file", Severity.NOTE, __doc__ or "", check)
