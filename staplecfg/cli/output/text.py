"""What people read: findings start with their place, an error of ours with our name."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING, TextIO

from staplecfg.cli.output.clean import clean, clean_line
from staplecfg.model.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from staplecfg.model.errors import StaplecfgError
    from staplecfg.model.finding import Finding

COLOURS = {Severity.ERROR: "31", Severity.WARNING: "33", Severity.NOTE: "36"}
"""SGR codes (ECMA-48, 8.3.117)."""


def findings(found: Iterable[Finding], *, colour: bool) -> list[str]:
    """Return `found` as lines: `path:line: severity: problem [rule]`, the hint indented below."""
    lines: list[str] = []
    for each in found:
        word = each.severity.value
        if colour:
            word = f"\x1b[{COLOURS[each.severity]}m{word}\x1b[0m"
        where = clean_line(str(each.location))
        lines.append(f"{where}: {word}: {clean_line(each.problem)} [{each.rule}]")
        if each.hint is not None:
            lines += [f"    hint: {line}" for line in clean(each.hint).splitlines()]
    return lines


def summary(found: Iterable[Finding], sites: int) -> str:
    """Return the closing line: how many sites and what was found."""
    severities = [each.severity for each in found]
    counts = [
        counted(severities.count(severity), severity.value)
        for severity in Severity
        if severity in severities
    ]
    return ", ".join([counted(sites, "site"), *(counts or ["no findings"])])


def counted(number: int, word: str) -> str:
    """Return `number` with `word`, in the plural where it is not one."""
    return f"{number} {word}{'' if number == 1 else 's'}"


def error(problem: StaplecfgError) -> list[str]:
    """Return an error of ours: where and what, the state of the machine, what to do."""
    where = "" if problem.at is None else f"{clean_line(str(problem.at))}: "
    first, *rest = clean(problem.problem).splitlines() or [""]
    lines = [f"staplecfg: error: {where}{first}", *rest]
    if problem.state:
        lines += [f"staplecfg: state: {line}" for line in clean(problem.state).splitlines()]
    if problem.hint:
        lines += [f"staplecfg: hint: {line}" for line in clean(problem.hint).splitlines()]
    return lines


def wants_colour(stream: TextIO) -> bool:
    """Say whether `stream` is a terminal that may be coloured (no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def say(line: str) -> None:
    """Tell the person at the terminal something that is not a result, on standard error."""
    with contextlib.suppress(OSError):  # nobody listens; that is no reason to stop
        sys.stderr.write(f"{clean(line)}\n")
        sys.stderr.flush()
