"""Where directives go into a server block, and how exactly those bytes come out again.

A line of ours is a whole line wherever the block has lines; only in a block
that is written on one line does it go between what stands there, each
directive behind one blank of its own. `take_out` knows the two apart by what
else stands on the line, so nothing has to be remembered.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from staplecfg.model.edit import Edit
from staplecfg.model.source import Span
from staplecfg.servers.nginx.words import statement

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from staplecfg.model.directive import Block, Directive
    from staplecfg.servers.interface import Words

_BLANKS = re.compile(rb"[ \t]*")
_REST_OF_LINE = re.compile(rb"[ \t\r]*(?:\n|\Z)")
_UNIT = b"    "


def insert(data: bytes, block: Directive, wanted: Sequence[Words]) -> tuple[Edit, ...]:
    """Return the edit that puts `wanted` into `block` of `data`. See `Dialect.insert`.

    They go behind the block's own certificate, else behind a `listen`, else
    first; then down to where a line begins between two directives. Indentation
    and line ending are those found there. Raises `ValueError` for a block that
    holds no directives: a bug of the caller's.
    """
    inside = block.block
    if inside is None or inside.opaque:
        raise ValueError(f"{block.name} holds no directives")
    if not wanted:
        return ()
    anchor = _anchor(inside)
    behind = inside.inside.start if anchor is None else anchor.span.end
    lines = [_bytes(statement(words)) for words in wanted]
    at = _line_between(data, inside, behind)
    if at is None:
        return (Edit(Span(behind, behind), b"".join(b" " + line for line in lines)),)
    indent = _indent(data, block, inside, anchor)
    ending = b"\r\n" if data.endswith(b"\r\n", 0, at) else b"\n"
    return (Edit(Span(at, at), b"".join(indent + line + ending for line in lines)),)


def replacement(present: Directive, wanted: Words) -> Edit:
    """Return the edit that writes `wanted` over the simple directive `present`.

    Raises `ValueError` where `present` is a block.
    """
    if present.block is not None:
        raise ValueError(f"{present.name} is a block")
    return Edit(present.span, _bytes(statement(wanted)))


def take_out(data: bytes, present: Sequence[Directive]) -> tuple[Edit, ...]:
    """Return the edits that take `present` out of `data`. See `Dialect.take_out`.

    The line goes with them where nothing else stands on it. A comment behind
    stays, in their place; between other directives goes the one blank before.
    """
    return tuple(_removal(data, run) for run in _runs(data, present))


def _anchor(inside: Block) -> Directive | None:
    certificates = [
        each for each in inside.children if each.name in {"ssl_certificate", "ssl_certificate_key"}
    ]
    listens = [each for each in inside.children if each.name == "listen"]
    speaking = [each for each in listens if not {"ssl", "quic"}.isdisjoint(each.args)]
    # Stream directives of other modules may carry a block: what follows it is as good.
    for found in (certificates, speaking, listens):
        if found:
            return found[-1]
    return None


def _line_between(data: bytes, inside: Block, behind: int) -> int | None:
    """Return where the first line begins behind `behind` that begins between two directives."""
    at = behind
    # A line feed inside a directive begins no such line; between directives
    # stand only blanks and comments, which end at a line feed.
    for start, end in [*_spans(inside, behind), (inside.inside.end, inside.inside.end)]:
        ended = data.find(b"\n", at, start)
        if ended >= 0:
            return ended + 1
        at = end
    return None


def _spans(inside: Block, behind: int) -> Iterable[tuple[int, int]]:
    return (
        (each.span.start, each.span.end) for each in inside.children if each.span.start >= behind
    )


def _indent(data: bytes, block: Directive, inside: Block, anchor: Directive | None) -> bytes:
    neighbours = inside.children if anchor is None else (anchor, *inside.children)
    for each in neighbours:
        found = _indentation(data, each)
        if found is not None:
            return found
    outer = _BLANKS.match(data, _line_start(data, block.span.start))
    found = outer[0] if outer is not None else b""
    return found + (b"\t" if b"\t" in found else _UNIT)


def _indentation(data: bytes, directive: Directive) -> bytes | None:
    """Return the blanks `directive` is indented by, or None where it is not first on its line."""
    before = data[_line_start(data, directive.span.start) : directive.span.start]
    return before if _BLANKS.fullmatch(before) else None


def _runs(data: bytes, present: Sequence[Directive]) -> list[Span]:
    """Return what `present` covers; neighbours with only blanks between them are one."""
    runs: list[Span] = []
    for span in sorted(each.span for each in present):
        if runs and _BLANKS.fullmatch(data, runs[-1].end, span.start):
            runs[-1] = Span(runs[-1].start, span.end)
        else:
            runs.append(span)
    return runs


def _removal(data: bytes, run: Span) -> Edit:
    line = _line_start(data, run.start)
    first = _BLANKS.fullmatch(data, line, run.start) is not None
    last = _REST_OF_LINE.match(data, run.end)
    if first and last is not None:
        return Edit(Span(line, last.end()), b"")
    if first:
        behind = _BLANKS.match(data, run.end)
        return Edit(Span(run.start, behind.end() if behind is not None else run.end), b"")
    blank = data[run.start - 1 : run.start] == b" "
    return Edit(Span(run.start - blank, run.end), b"")


def _line_start(data: bytes, at: int) -> int:
    return data.rfind(b"\n", 0, at) + 1


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
