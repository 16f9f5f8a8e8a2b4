"""What a command has to say, before anyone decides how it looks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from staplecfg.model.errors import ExitStatus

if TYPE_CHECKING:
    from collections.abc import Mapping

    from staplecfg.model.change import Change
    from staplecfg.model.finding import Finding
    from staplecfg.model.installation import Installation


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a command. `lines` is for people, `data` for a pipe; the rest becomes JSON.

    `data` are bytes that must reach standard output as they are (a diff), and
    stand in the place of `lines` there.
    """

    status: int = ExitStatus.DONE
    """An `ExitStatus`; but of a monitoring plugin's own convention under `--format nagios`."""
    lines: tuple[str, ...] = ()
    data: bytes | None = None
    changed: bool = False
    changes: tuple[Change, ...] = ()
    findings: tuple[Finding, ...] = ()
    sites: tuple[Mapping[str, object], ...] = ()
    staples: tuple[Mapping[str, object], ...] = ()
    installation: Installation | None = None
    notes: tuple[str, ...] = ()
    """For people, on standard error, where standard output is taken by `data`."""
    warnings: tuple[str, ...] = ()
    outcome: str = "done"
    extra: Mapping[str, object] | None = None
    """Members of the JSON document that only this command has."""
