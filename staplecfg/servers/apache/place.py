"""Where directives go into a virtual host, and how exactly those bytes come out again.

In httpd's language every directive has its line, so a line of ours is a whole
line. Only where a file ends without a line feed does a line of ours begin with
one instead of ending in it; `take_out` sees that, nothing has to be remembered.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from staplecfg.model.edit import Edit
from staplecfg.model.source import Span
from staplecfg.servers.apache.lines import BLANKS
from staplecfg.servers.apache.words import statement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from staplecfg.model.directive import Block, Directive
    from staplecfg.servers.interface import Words

_BLANKS = re.compile(rb"[ \t]*")
_CERTIFICATE = frozenset({"SSLCertificateFile", "SSLCertificateKeyFile"})
_UNIT = b"    "


def insert(data: bytes, block: Directive, wanted: Sequence[Words]) -> tuple[Edit, ...]:
    """Return the edit that puts `wanted` into `block` of `data`. See `Dialect.insert`.

    They go behind the block's own last SSLCertificateFile or
    SSLCertificateKeyFile, else behind its SSLEngine, else first; into a whole
    file, else at its end. Indentation and line ending are those found there.
    Raises `ValueError` for a block that holds no directives: a bug of the
    caller's.
    """
    inside = block.block
    if inside is None or inside.opaque:
        raise ValueError(f"{block.name} holds no directives")
    if not wanted:
        return ()
    is_file = not block.name
    anchor = _anchor(inside, _CERTIFICATE) or (
        None if is_file else _anchor(inside, frozenset({"SSLEngine"}))
    )
    if anchor is not None:
        behind = anchor.span.end
    else:
        behind = len(data) if is_file else inside.inside.start
    indent = _indent(data, block, inside, anchor)
    lines = [indent + _bytes(statement(words)) for words in wanted]
    at = _next_line(data, behind)
    ending = _ending(data, at)
    if at == len(data):
        _require_an_end(data)
    if at == len(data) and data and not data.endswith(b"\n"):
        return (Edit(Span(at, at), b"".join(ending + line for line in lines)),)
    return (Edit(Span(at, at), b"".join(line + ending for line in lines)),)


def replacement(data: bytes, present: Directive, wanted: Words) -> Edit:
    """Return the edit that writes `wanted` over the simple directive `present`.

    Blanks behind it stay. Raises `ValueError` where `present` is a block.
    """
    if present.block is not None:
        raise ValueError(f"{present.name} is a block")
    text = data[present.span.start : present.span.end].rstrip(BLANKS)
    span = Span(present.span.start, present.span.start + len(text))
    return Edit(span, _bytes(statement(wanted)))


def take_out(data: bytes, present: Sequence[Directive]) -> tuple[Edit, ...]:
    """Return the edits that take `present`, with their lines, out of `data`.

    Where they are the end of a file without a final line feed, so it is
    afterwards: the line feed before them goes instead.
    """
    return tuple(Edit(span, b"") for span in _runs(data, present))


def _anchor(inside: Block, names: frozenset[str]) -> Directive | None:
    found = [each for each in inside.children if each.name in names]
    return found[-1] if found else None


def _next_line(data: bytes, behind: int) -> int:
    """Return where the line begins that follows the one that ends at `behind`."""
    feed = data.find(b"\n", behind)
    return len(data) if feed < 0 else feed + 1


def _ending(data: bytes, at: int) -> bytes:
    """Return the line ending found before `at`, or that of the line before it."""
    feed = data.rfind(b"\n", 0, at)
    # A carriage return that ends the file must not become part of our line ending.
    returned = data.endswith(b"\r\n", 0, feed + 1) or data.endswith(b"\r", 0, at)
    return b"\r\n" if returned else b"\n"


def _require_an_end(data: bytes) -> None:
    if data.rstrip(b"\r\n").endswith(b"\\"):
        raise ValueError("the file ends in a backslash, which would join what is added to it")


def _indent(data: bytes, block: Directive, inside: Block, anchor: Directive | None) -> bytes:
    if not block.name and anchor is None:
        return b""
    neighbours = inside.children if anchor is None else (anchor, *inside.children)
    for each in neighbours:
        found = _indentation(data, each)
        if found is not None:
            return found
    outer = _BLANKS.match(data, _line_start(data, block.span.start))
    found = outer[0] if outer is not None else b""
    return found + (b"\t" if b"\t" in found else _UNIT)


def _indentation(data: bytes, directive: Directive) -> bytes | None:
    """Return the blanks `directive` is indented by, or None where other bytes stand there."""
    before = data[_line_start(data, directive.span.start) : directive.span.start]
    return before if _BLANKS.fullmatch(before) else None


def _runs(data: bytes, present: Sequence[Directive]) -> list[Span]:
    """Return the lines `present` stands on; neighbouring lines are one run."""
    runs: list[Span] = []
    for span in sorted(each.span for each in present):
        start, end = _line_start(data, span.start), _next_line(data, span.end)
        if runs and runs[-1].end == start:
            start = runs.pop().start
        runs.append(Span(start, end))
    if runs and runs[-1].end == len(data) and not data.endswith(b"\n"):
        start = runs[-1].start
        start -= 2 if data.endswith(b"\r\n", 0, start) else min(start, 1)
        runs[-1] = Span(start, len(data))
    return runs


def _line_start(data: bytes, at: int) -> int:
    return data.rfind(b"\n", 0, at) + 1


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
