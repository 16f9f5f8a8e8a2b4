"""Whether a second reader, crossplane, sees in a file what we see in it."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING

from staplecfg.model.finding import Finding, Severity
from staplecfg.model.source import Location
from staplecfg.servers.nginx.crossplane_reader import Failure, Statement, read
from staplecfg.servers.nginx.scan import scan, walk
from staplecfg.servers.nginx.words import quote, unescape

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import PurePosixPath

    from staplecfg.model.directive import Directive

RULE = "readers-disagree"
_HINT = (
    "nginx's rules decide what is reported and the file is not edited; "
    "quoting the words of this line usually settles it"
)


def disagreement(data: bytes, path: PurePosixPath) -> Finding | None:
    """Return the first difference between our reading of `data` and crossplane's, or None.

    Name, arguments, nesting and line of every directive are compared. Raises
    `NotUnderstood` where we cannot read `data` ourselves.
    """
    directives = scan(data, path)
    lua = {each.name for each in walk(directives) if each.block is not None and each.block.opaque}
    theirs = read(data, lua)
    if isinstance(theirs, Failure):
        problem = f"the second reader, crossplane, cannot read this file: {theirs.problem}"
        return Finding(RULE, Severity.WARNING, Location(path, theirs.line), problem, _HINT)
    for mine, other in zip_longest(_flat(data, directives), theirs):
        if mine is None or other is None or mine != _as_nginx_has_it(other):
            at = Location(path, (mine or other).line)
            problem = f"nginx reads {_shown(mine)} here, crossplane {_shown(other)}"
            return Finding(RULE, Severity.WARNING, at, problem, _HINT)
    return None


def _flat(data: bytes, directives: Sequence[Directive]) -> Iterator[Statement]:
    pending = [(0, each) for each in reversed(directives)]
    while pending:
        depth, each = pending.pop()
        args = _condition(each.args) if each.name == "if" else each.args
        if each.block is not None and each.block.opaque:
            # To crossplane the Lua is one more argument.
            args = (*args, _lua(data[each.block.inside.start : each.block.inside.end]))
        yield Statement(depth, each.name, args, each.line)
        if each.block is not None:
            pending += [(depth + 1, inner) for inner in reversed(each.block.children)]


def _as_nginx_has_it(statement: Statement) -> Statement:
    r"""Undo the differences that are only crossplane's manner.

    It resolves the escaped quote alone; the others (`\\`, `\t`, ...) nginx
    resolves too. Its tokens are whole escapes, so this order loses nothing.
    """
    if statement.name.endswith("_by_lua_block") and statement.args:
        *args, body = statement.args
        unescaped = (*map(_unescaped, args), body.replace("\r\n", "\n"))
    else:
        unescaped = tuple(map(_unescaped, statement.args))
    return Statement(statement.depth, _unescaped(statement.name), unescaped, statement.line)


def _condition(args: tuple[str, ...]) -> tuple[str, ...]:
    """Return the words of an `if` without its parentheses: crossplane leaves them out."""
    if not args or not args[0].startswith("(") or not args[-1].endswith(")"):
        return args
    words = list(args)
    words[0] = words[0][1:].lstrip()
    words[-1] = words[-1][:-1].rstrip()
    return tuple(words[int(not words[0]) : len(words) - int(not words[-1])])


def _lua(body: bytes) -> str:
    return body.replace(b"\r\n", b"\n").decode("utf-8", "surrogateescape")


def _unescaped(text: str) -> str:
    raw = text.encode("utf-8", "surrogateescape")
    return unescape(raw).decode("utf-8", "surrogateescape")


def _shown(statement: Statement | None, most: int = 80) -> str:
    if statement is None:
        return "nothing more"
    words = " ".join(quote(word[:200]) for word in (statement.name, *statement.args))
    cut = words if len(words) <= most else words[:most] + "..."
    return f"`{cut}` (line {statement.line}, {statement.depth} deep)"
