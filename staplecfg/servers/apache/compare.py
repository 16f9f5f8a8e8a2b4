"""Whether a second reader sees in a file what we see in it, and our spans hold what we say."""

from __future__ import annotations

from itertools import chain, repeat, zip_longest
from typing import TYPE_CHECKING

from staplecfg.model.finding import Finding, Severity
from staplecfg.model.source import Location
from staplecfg.servers.apache.lines import BLANKS
from staplecfg.servers.apache.plain_reader import Failure, Statement, read
from staplecfg.servers.apache.scan import scan, walk

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import PurePosixPath

    from staplecfg.model.directive import Directive

RULE = "readers-disagree"
_HINT = "the file is not edited; please report it, its shape is new to staplecfg"
_NO_BEGINNING = (b"#", b"\\\n", b"\\\r\n", *(bytes((each,)) for each in BLANKS))


def disagreement(data: bytes, path: PurePosixPath) -> Finding | None:
    """Return the first difference between our two readings of `data`, or None.

    Raises `NotUnderstood` where `scan` does.
    """
    return difference(data, scan(data, path), path)


def difference(data: bytes, directives: Sequence[Directive], path: PurePosixPath) -> Finding | None:
    """Return where `directives` are not what the second reader finds in `data`, or None.

    Name, arguments, nesting and last line of every directive are compared; then
    what its span holds, read alone, must be that directive.
    """
    theirs = read(data)
    if isinstance(theirs, Failure):
        problem = f"the second reader cannot read this file: {theirs.problem}"
        return Finding(RULE, Severity.WARNING, Location(path, theirs.line), problem, _HINT)
    for mine, other in zip_longest(_flat(data, directives), theirs):
        if mine != other:
            at = Location(path, (mine or other).last_line)
            problem = f"one reader reads {_shown(mine)} here, the other {_shown(other)}"
            return Finding(RULE, Severity.WARNING, at, problem, _HINT)
    return _misplaced(data, directives, path)


def _misplaced(data: bytes, directives: Sequence[Directive], path: PurePosixPath) -> Finding | None:
    """Return the first directive that is not what its span holds, up to the end of a line."""
    again = read(b"\n".join(_pieces(data, directives)))
    held = chain([] if isinstance(again, Failure) else again, repeat(None))
    for each, alone in zip(walk(directives), held, strict=False):
        if (
            not _has_its_ends(data, each)
            or alone is None
            or alone[1:3] != (_spoken(each), each.args)
        ):
            problem = f"the bytes of {each.name} are not where we take them to be"
            return Finding(RULE, Severity.WARNING, Location(path, each.line), problem, _HINT)
    return None


def _has_its_ends(data: bytes, directive: Directive) -> bool:
    """Say whether neither a blank nor a comment is taken for part of `directive`."""
    opened = _opening_end(directive)
    starts = [directive.span.start]
    if directive.block is not None:
        starts.append(directive.block.inside.end)
    return (opened == len(data) or data.startswith((b"\n", b"\r\n"), opened)) and not any(
        data.startswith(_NO_BEGINNING, start) for start in starts
    )


def _pieces(data: bytes, directives: Sequence[Directive]) -> Iterator[bytes]:
    """Yield what the spans hold: lines, opening tags and end tags, and nothing between them."""
    for each in directives:
        yield data[each.span.start : _opening_end(each)]
        if each.block is not None:
            yield from _pieces(data, each.block.children)
            yield data[each.block.inside.end : each.span.end]


def _opening_end(directive: Directive) -> int:
    return directive.span.end if directive.block is None else directive.block.inside.start


def _flat(data: bytes, directives: Sequence[Directive]) -> Iterator[Statement]:
    # Counted on from one to the next: a list of half a megabyte is no rarity.
    pending = [(0, each) for each in reversed(directives)]
    counted, line = 0, 1
    while pending:
        depth, each = pending.pop()
        end = _opening_end(each)
        line += data.count(b"\n", counted, end)
        counted = end
        yield Statement(depth, _spoken(each), each.args, line)
        if each.block is not None:
            pending += [(depth + 1, inner) for inner in reversed(each.block.children)]


def _spoken(directive: Directive) -> str:
    """Return the name in the second reader's manner."""
    raw = directive.name.encode("utf-8", "surrogateescape").lower()
    bracket = "" if directive.block is None else "<"
    return bracket + raw.decode("utf-8", "surrogateescape")


def _shown(statement: Statement | None, most: int = 80) -> str:
    if statement is None:
        return "nothing more"
    words = " ".join((statement.name, *statement.args))
    cut = words if len(words) <= most else words[:most] + "..."
    return f"`{cut}` (line {statement.last_line}, {statement.depth} deep)"
