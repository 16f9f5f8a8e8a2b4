"""Where staples stand, as a table for people and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.cli.output import describe
from staplecfg.cli.output.clean import clean_line
from staplecfg.cli.output.text import counted, findings
from staplecfg.planning.attention import said_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from staplecfg.model.errors import StaplecfgError
    from staplecfg.model.settings import Settings
    from staplecfg.planning.attention import InUse
    from staplecfg.planning.status import Status

HEAD = (
    "condition",
    "status",
    "used",
    "this update",
    "next update",
    "due",
    "last try",
    "serial",
    "certificate",
)


def lines(target: Status) -> list[str]:
    """Return `target` as lines: the server, a row for each certificate, what is wrong below it."""
    found = [_server(target)]
    rows = [_row(each, target.facts.now) for each in target.used]
    for line, each in zip(_aligned([HEAD, *rows]), (None, *target.used), strict=True):
        found.append(f"  {line}")
        if each is not None:
            found += [f"      {said}" for said in _said(each)]
    found += [f"  {said_of(each)}" for each in target.unusable]
    if target.pending:
        files = counted(target.pending, "file")
        found.append(f"  {files} in state not up to date: run `staplecfg warm`")
    found += [f"  {line}" for line in findings(target.findings, colour=False)]
    return [clean_line(line) for line in found]


def summary(targets: Sequence[Status]) -> str:
    """Return how many certificates there are, how many need a person, and what else does."""
    used = sum(len(target.used) for target in targets)
    needing = sum(target.calls for target in targets)
    plural = "s" if needing == 1 else ""
    needs = [f"{needing} need{plural} a person"] if needing else []
    if any(target.findings for target in targets):
        needs.append(f"the local responder needs {'one' if needs else 'a person'}")
    return f"{counted(used, 'certificate')} in use; {', '.join(needs) or 'nobody is needed'}"


def target(each: Status) -> dict[str, object]:
    """Return one server as the schema has it."""
    facts = each.facts
    return {
        "server": facts.installation.server,
        "version": ".".join(map(str, facts.installation.version)) or None,
        "config": str(facts.installation.config),
        "running": facts.running.master is not None,
        "unit": facts.running.unit,
        "certificates": len(each.used),
        "needing": each.calls,
        "pending": each.pending,
        "problem": None,
        "hint": None,
    }


def unreadable(wanted: Settings, error: StaplecfgError) -> dict[str, object]:
    """Return a server of which nothing could be told, as the schema has it."""
    return {
        "server": wanted.server,
        "version": None,
        "config": None if wanted.config is None else str(wanted.config),
        "running": False,
        "unit": None,
        "certificates": 0,
        "needing": 0,
        "pending": 0,
        "problem": error.problem,
        "hint": error.hint,
    }


def staples(each: Status) -> list[dict[str, object]]:
    """Return every certificate in use at one server as the schema has it."""
    facts = each.facts
    return [
        {
            **describe.stored(used.chain, used.stored, used.attempts, facts.now),
            "config": str(facts.installation.config),
            "sites": [site.title for site in used.sites],
            "condition": used.condition.value,
            "attention": used.problem,
        }
        for used in each.used
    ]


def _server(target: Status) -> str:
    facts = target.facts
    running = "not running" if facts.running.master is None else f"pid {facts.running.master}"
    unit = f", {facts.running.unit}" if facts.running.unit else ""
    title = facts.installation.banner or facts.installation.server
    return f"{title}  {facts.installation.config}  ({running}{unit})"


def _row(each: InUse, now: datetime) -> tuple[str, ...]:
    staple, tries = each.stored.staple, each.attempts
    status = "revoked" if tries.revoked_at else "-" if staple is None else staple.status.value
    return (
        each.condition.value,
        status,
        "-" if staple is None else f"{staple.share_used(now):.0%}",
        _moment(None if staple is None else staple.this_update),
        _moment(None if staple is None else staple.next_update),
        _moment(None if staple is None else staple.half_life),
        _moment(tries.last_try),
        f"{each.chain.serial:x}",
        str(each.chain.path),
    )


def _said(each: InUse) -> list[str]:
    must = "; must-staple" if each.chain.must_staple else ""
    said = [f"sites: {', '.join(dict.fromkeys(site.title for site in each.sites))}{must}"]
    if each.problem is not None:
        said.append(f"needs a person: {each.problem}")
    if each.attempts.error is not None:
        times = f" ({counted(each.attempts.failures, 'failure')} in a row)"
        said.append(f"last error: {each.attempts.error}{times if each.attempts.failures else ''}")
    return said


def _aligned(rows: Iterable[Sequence[str]]) -> list[str]:
    cells = [[clean_line(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]


def _moment(time: datetime | None) -> str:
    return "-" if time is None else f"{time:%Y-%m-%d %H:%M}"
