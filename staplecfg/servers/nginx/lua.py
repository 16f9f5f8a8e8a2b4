"""Where a Lua body ends: the one language nginx lets stand between its braces."""

from __future__ import annotations

import re

_NAME = re.compile(r"[a-z0-9_]+_by_lua_block")

# What may hold a brace that is none, before the braces themselves. A raw line
# feed ends a short string, as in Lua.
_TOKEN = re.compile(
    rb"--\[(?P<comment>=*)\[|\[(?P<string>=*)\[|--[^\n]*"
    rb'|"[^"\\\n]*(?:\\.[^"\\\n]*)*"'
    rb"|'[^'\\\n]*(?:\\.[^'\\\n]*)*'"
    rb"|(?P<brace>[{}])",
    re.DOTALL,
)


def holds_lua(name: str) -> bool:
    """Say whether the block of directive `name` is Lua: by pattern, for modules add names."""
    return name.endswith("_by_lua_block") and _NAME.fullmatch(name) is not None


def end_of_lua(data: bytes, start: int) -> int | None:
    """Return where the `}` stands that closes the Lua begun at `start`, or None if none does."""
    depth = 1
    at = start
    while (found := _TOKEN.search(data, at)) is not None:
        at = found.end()
        brackets = found["comment"] if found["comment"] is not None else found["string"]
        if brackets is not None:
            closed = data.find(b"]" + brackets + b"]", at)
            if closed < 0:
                return None
            at = closed + len(brackets) + 2
        elif found["brace"] is not None:
            depth += 1 if found["brace"] == b"{" else -1
            if depth == 0:
                return found.start()
    return None
