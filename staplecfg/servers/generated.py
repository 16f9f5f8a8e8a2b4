"""Files that somebody writes anew: an edit would be lost, so the place that lasts is named.

Each server has a table of its own, of the panels that write for it, in front of
`MANAGERS`. To add one: a row. `path` is matched against the whole path, the
configured and the resolved one; `header` against the comments before the first
directive, in any case of letters; `body` against the whole text. One match is enough.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from staplecfg.model.finding import Finding, Severity
from staplecfg.model.source import Location

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import PurePosixPath

    from staplecfg.model.directive import Directive

RULE = "generated-file"


@dataclass(frozen=True, slots=True)
class Writer:
    """Who writes files anew, how to know them, and where a line lasts."""

    name: str
    lasting: str
    """What to do instead; fits after `hint:`."""
    path: str | None = None
    header: str | None = None
    body: str | None = None

    def wrote(self, paths: tuple[str, ...], header: bytes, data: bytes) -> bool:
        """Say whether this writer's marks are on a file."""
        return (
            (self.path is not None and any(re.fullmatch(self.path, path) for path in paths))
            or (self.header is not None and _found(self.header, header))
            or (self.body is not None and _found(self.body, data))
        )


MANAGERS = (
    Writer(
        "Puppet",
        "put the lines into the manifest or the template this file comes from",
        header=r"managed (by|with) puppet|puppet[- ]managed|under puppet control",
    ),
    Writer(
        "Ansible",
        "put the lines into the template or the variables this file comes from "
        "(or let the staplecfg.stapling collection do it after them)",
        header=r"ansible[- _]managed|managed (by|with) ansible",
    ),
    Writer(
        "Chef",
        "put the lines into the cookbook's template or attributes",
        header=r"(managed|generated) (by|with) chef",
    ),
    Writer(
        "Salt",
        "put the lines into the state's template or pillar",
        header=r"managed (by|with) salt|salt[- ]managed",
    ),
    Writer(
        "CFEngine",
        "put the lines into the policy's template",
        header=r"managed (by|with) cfengine",
    ),
    Writer(
        "Terraform",
        "put the lines into the template this file comes from",
        header=r"managed (by|with) terraform",
    ),
    Writer(
        "a program named in the file's first comment",
        "put the lines where that comment says, or in the template this file comes from",
        header=r"do(n't| not) (edit|modify|change|touch) this file|(changes|edits|modifications)"
        r"[^.\n]{0,30}will be (lost|overwritten|discarded|erased)",
    ),
)
"""Who writes for any server. The first match decides; the last row catches what says of itself
that it is written anew."""


def written_anew(
    writers: Iterable[Writer],
    path: PurePosixPath,
    real: PurePosixPath,
    data: bytes,
    directives: tuple[Directive, ...],
) -> Finding | None:
    """Return why the file should not be edited by hand or by us, or None where it may be."""
    header = data[: directives[0].span.start] if directives else data
    paths = (str(path), str(real))
    for writer in writers:
        if writer.wrote(paths, header, data):
            return Finding(
                RULE,
                Severity.WARNING,
                Location(path),
                f"{writer.name} writes this file anew, and would undo an edit",
                f"{writer.lasting}; or edit it all the same with --force",
            )
    return None


def _found(pattern: str, text: bytes) -> bool:
    return re.search(pattern.encode(), text, re.IGNORECASE | re.MULTILINE) is not None
