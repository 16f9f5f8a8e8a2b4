"""Which line of a template a line of its output comes from.

Every piece of output is preceded by a mark with its line while it is rendered.
"""

from __future__ import annotations

import re

from jinja2 import nodes

MARK = "\x00"
"""Stands around a template's line number in the text while it is rendered."""

LINE = re.compile(r"[^\n]*\n|[^\n]+")


def mark(tree: nodes.Template) -> None:
    """Put before every piece of output in `tree` the line it comes from."""
    for output in tree.find_all(nodes.Output):
        marked: list[nodes.Expr] = []
        for node in output.nodes:
            marked += nodes.TemplateData(f"{MARK}{node.lineno}{MARK}", lineno=node.lineno), node
        output.nodes = marked


def without_marks(marked: str) -> tuple[str, tuple[int, ...]]:
    """Return the text without its marks, and for each of its lines the template's line."""
    pieces = marked.split(MARK)
    plain = [pieces[0]]
    lines: list[int] = []
    fresh = True
    for number, piece in zip(pieces[1::2], pieces[2::2], strict=True):
        plain.append(piece)
        for offset, part in enumerate(LINE.findall(piece)):
            if fresh:
                lines.append(int(number) + offset)
            fresh = part.endswith("\n")
    return "".join(plain), tuple(lines)


def origin(lines: tuple[int, ...], line: int | None) -> int | None:
    """Return the template's line for output line `line`, both from 1."""
    if line is None or not lines:
        return None
    return lines[min(line, len(lines)) - 1]
