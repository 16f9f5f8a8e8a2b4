"""A stapling directive stands in a file that several sites include.

What: a line about stapling in effect here comes from a file that is read for
other sites too.

Why: what is changed there changes for all of them. staplecfg shows it and never
edits such a file for one site's sake; where the shared line is in the way of a
site, the site is left alone and said to be.

Fix: a shared line that switches stapling on is fine. A shared
`ssl_stapling_file` of nginx's is not, unless all those sites present one
certificate. Move what is one site's own into its own block.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.model.finding import Severity
from staplecfg.model.rule import Rule
from staplecfg.model.site import Origin
from staplecfg.servers.in_effect import about_stapling

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import PurePosixPath

    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding
    from staplecfg.model.site import Setting


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding for each shared line about stapling that is not our own state."""
    told = set()
    for site in facts.configuration.sites:
        for name in about_stapling(site):
            setting = site.setting(name)
            # What stands outside the sites is shared by its place, which nobody overlooks.
            if setting is None or setting.origin is Origin.INHERITED:
                continue
            if not setting.shared or setting.location in told:
                continue
            told.add(setting.location)
            if not _ours(setting, facts.settings.state_dir):
                words = " ".join(setting.directive.words)
                problem = f"`{words}` stands in a file that other sites include too"
                yield RULE.finding(setting.location, problem)


def _ours(setting: Setting, state_dir: PurePosixPath) -> bool:
    return state_dir in setting.file.parents or state_dir in setting.location.path.parents


RULE = Rule("shared-file", Severity.NOTE, __doc__ or "", check)
