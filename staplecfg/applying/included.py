"""Whether the server would read a file that is about to be put somewhere."""

from __future__ import annotations

import itertools
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from staplecfg.model.errors import UsageProblem

if TYPE_CHECKING:
    from collections.abc import Callable

    from staplecfg.model.facts import Facts
    from staplecfg.servers.interface import Server

MAGIC = frozenset("*?[\\")
"""What makes a part of a path a pattern, for every server's globs."""


def included(facts: Facts, server: Server) -> Callable[[PurePosixPath], bool]:
    """Return what says whether the server would read a file of that path, were it there.

    Patterns are found by the directory they begin in: there is one for each site
    key, and asking all of them about every file is quadratic.
    """
    beginning: dict[PurePosixPath, list[str]] = {}
    for pattern in facts.configuration.patterns:
        fixed = itertools.takewhile(MAGIC.isdisjoint, PurePosixPath(pattern).parts)
        place = facts.files.resolve(PurePosixPath(*fixed))
        beginning.setdefault(place, []).append(pattern)

    def reads(path: PurePosixPath) -> bool:
        return any(
            server.dialect.reads(pattern, path, facts.files)
            for place in (path, *path.parents)
            for pattern in beginning.get(place, ())
        )

    return reads


def require_unread(facts: Facts, server: Server) -> None:
    """Raise `UsageProblem` where an include of the server's would read the state directory.

    As a directory among the files it would keep the server from starting; and a
    site's snippet, read for all sites, would hand out its staple in their name.
    """
    top = facts.files.resolve(facts.settings.state_dir)
    site = top / server.name / "site"
    reads = included(facts, server)
    for path in (top, top / "lock", top / "store", site.parent, site, site / "staple.conf"):
        if reads(path):
            raise UsageProblem(
                f"an include of {server.name}'s configuration would read {path}",
                hint="name another state directory by --state-dir, or narrow that include",
            )
