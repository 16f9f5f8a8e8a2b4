"""crossplane's reading of a text that need not be on any disk.

crossplane 0.5.8 parses only what it has opened itself. Its `parse` is run here,
unchanged, with a `lex` that takes the text; nothing of crossplane is patched,
and nothing is opened.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import FunctionType
from typing import TYPE_CHECKING, Any

from crossplane.ext.lua import LuaBlockPlugin
from crossplane.lexer import _balance_braces, _lex_file_object, register_external_lexer
from crossplane.parser import parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


@dataclass(frozen=True, slots=True)
class Statement:
    """One directive as crossplane has it: how deep it stands, and its line."""

    depth: int
    name: str
    args: tuple[str, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Failure:
    """Why crossplane could not read on, and where."""

    problem: str
    line: int | None


def read(data: bytes, lua_names: Iterable[str]) -> list[Statement] | Failure:
    """Return what crossplane reads in `data`; the blocks `lua_names` hold Lua.

    Line ends are left as they are (crossplane would open with universal
    newlines, and end a comment at a lone carriage return; nginx does not).
    """
    # crossplane knows 13 such names, the Lua modules have more; to say one twice is harmless.
    register_external_lexer(sorted(lua_names), LuaBlockPlugin().lex)
    payload = _parse(data.decode("utf-8", "surrogateescape"))
    if payload["errors"]:
        error = payload["errors"][0]
        line = error["line"]
        return Failure(str(error["error"]).removesuffix(f" in :{line}"), line)
    return list(_flat(payload["config"][0]["parsed"]))


def _parse(text: str) -> dict[str, Any]:
    def lex(filename: str) -> Iterator[tuple[str, int, bool]]:
        yield from _balance_braces(_lex_file_object([text]), filename)

    # A function of its own, so that no other thread and no other user of
    # crossplane sees this `lex`.
    over_text = FunctionType(
        parse.__code__, {**parse.__globals__, "lex": lex}, "parse", parse.__defaults__
    )
    payload: dict[str, Any] = over_text(
        "", single=True, strict=False, check_ctx=False, check_args=False
    )
    return payload


def _flat(parsed: list[dict[str, Any]]) -> Iterator[Statement]:
    pending = [(0, each) for each in reversed(parsed)]
    while pending:
        depth, each = pending.pop()
        # Comments between arguments come as nodes, though comments are off; a
        # directive that is named "#" (in a map) has no `comment`.
        if "comment" in each:
            continue
        yield Statement(depth, each["directive"], tuple(each["args"]), each["line"])
        pending += [(depth + 1, inner) for inner in reversed(each.get("block") or [])]
