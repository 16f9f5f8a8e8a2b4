"""What a template may hold: text, gaps, choices and one level of loops.

A template is data with gaps, not a program: it can neither run for ever, nor
grow without end, nor read anything it was not given.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from jinja2 import nodes

from staplecfg.model.errors import NotUnderstood
from staplecfg.model.source import Location

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import PurePosixPath

ALLOWED: tuple[type[nodes.Node], ...] = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.If,
    nodes.For,
    nodes.Name,
    nodes.Const,
    nodes.Tuple,
    nodes.List,
    nodes.Getattr,
    nodes.Getitem,
    nodes.Filter,
    nodes.Test,
    nodes.Compare,
    nodes.Operand,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.CondExpr,
    nodes.Concat,
)
"""No calls, no assignments, no macros, no includes, no arithmetic: nothing that grows or loops."""

PLAIN = re.compile(r"[A-Za-z0-9_./:@%+,=*-]+")


def quoted(word: object) -> str:
    """Return `word` written so that a server reads exactly it: nginx and Apache agree on how."""
    text = str(word)
    if PLAIN.fullmatch(text):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _join(words: object, between: str = " ") -> str:
    if not isinstance(words, (list, tuple)):
        raise TypeError("only a list can be joined")
    return between.join(str(word) for word in words)


FILTERS: Mapping[str, Callable[..., object]] = {
    "quoted": quoted,
    "join": _join,
    "lower": lambda word: str(word).lower(),
    "upper": lambda word: str(word).upper(),
    "length": len,
}


def require_allowed(tree: nodes.Template, path: PurePosixPath) -> None:
    """Raise `NotUnderstood`, at its line in `path`, for the first thing a template may not hold."""
    for node, loops in _walk(tree, 0):
        if not isinstance(node, ALLOWED) or (isinstance(node, nodes.For) and node.recursive):
            raise NotUnderstood(
                f"a template may not use `{type(node).__name__.lower()}`",
                at=Location(path, node.lineno),
                hint="a template holds text, variables, if, for and the filters "
                + ", ".join(sorted(FILTERS)),
            )
        if loops > 1:
            raise NotUnderstood("a loop within a loop", at=Location(path, node.lineno))


def _walk(node: nodes.Node, loops: int) -> Iterator[tuple[nodes.Node, int]]:
    inside = loops + isinstance(node, nodes.For)
    yield node, inside
    for child in node.iter_child_nodes():
        yield from _walk(child, inside)
