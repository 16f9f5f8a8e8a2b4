"""nginx's words and marks in a file, by the rules of ngx_conf_read_token(), with their bytes."""

from __future__ import annotations

import re
from enum import IntEnum
from typing import TYPE_CHECKING, TypeAlias

from staplecfg.model.errors import NotUnderstood
from staplecfg.model.source import Location
from staplecfg.servers.nginx.lua import end_of_lua, holds_lua
from staplecfg.servers.nginx.words import CONF_BUFFER, unescape

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import PurePosixPath


class Kind(IntEnum):
    """The kinds of token; the first ones number the groups of `_TOKEN`."""

    WORD = 1
    MARK = 2
    COMMENT = 3
    DOUBLE = 4
    SINGLE = 5
    END = 6
    LUA = 7
    """Everything from behind a Lua block's `{` up to its `}`."""


Lexeme: TypeAlias = "tuple[Kind, int, int, str]"
"""Kind, first byte, end, and what nginx reads (nothing for LUA and END)."""

# Only these four bytes part words: a no-break space, a form feed or a vertical
# tab is an ordinary character. Once a word has begun so are `}`, `#` and
# quotes, and any `{` that follows a `$`. No alternative can fail far from its
# start, so nothing backtracks.
_TOKEN = re.compile(
    rb"""[ \t\r\n]*(?:((?![;{}"'#])(?:[^ \t\r\n;{\\$]+|\\.|\$\{*)+)"""
    rb"""|([;{}])|(#[^\n]*)"""
    rb"""|("[^"\\]*(?:\\.[^"\\]*)*)|('[^'\\]*(?:\\.[^'\\]*)*)|(\Z))""",
    re.DOTALL,
)

_BEHIND_QUOTE = frozenset(b" \t\r\n;{)")
_LAST_SAFE = CONF_BUFFER - 2
"""A word this long is never too long; the bytes above it depend on what follows."""


def tokens(data: bytes, path: PurePosixPath) -> Iterator[Lexeme]:
    """Yield the words and marks of `data`, comments left out, and END last.

    Raises `NotUnderstood` where nginx would: at unfinished or glued quotes, at
    words and comments longer than its buffer, at Lua without an end.
    """
    word, mark, comment, end_of_file = Kind.WORD, Kind.MARK, Kind.COMMENT, Kind.END
    at = 0
    name = ""
    while True:
        found = _TOKEN.match(data, at)
        if found is None:
            raise _unfinished(data, path, at)
        kind = found.lastindex
        start, at = found.span(kind or 0)
        if kind == word:
            if at - start > _LAST_SAFE:
                _require_bare_length(data, path, start, at)
            value = unescape(data[start:at]).decode("utf-8", "surrogateescape")
            name = name or value
            yield word, start, at, value
        elif kind == mark:
            yield mark, start, at, chr(data[start])
            if name and holds_lua(name) and data[start] == ord("{"):
                closed = _require_lua_end(data, path, at)
                yield Kind.LUA, at, closed, ""
                at = closed
            name = ""
        elif kind == comment:
            _require_comment_length(data, path, start, at)
        elif kind == end_of_file:
            yield end_of_file, at, at, ""
            return
        else:
            at = _require_closed(data, path, start, at)
            value = unescape(data[start + 1 : at - 1]).decode("utf-8", "surrogateescape")
            name = name or value
            yield word, start, at, value


def line_of(data: bytes, at: int) -> int:
    """Return the line of byte `at`, from 1; as for nginx, only a line feed ends one."""
    return data.count(b"\n", 0, at) + 1


def shown(raw: bytes, most: int = 40) -> str:
    """Return the beginning of `raw`'s first line for a message."""
    first = raw.partition(b"\n")[0]
    text = first[:most].decode("utf-8", "surrogateescape")
    return text + "..." if len(first) > most else text


def _require_closed(data: bytes, path: PurePosixPath, start: int, end: int) -> int:
    if end >= len(data):
        raise NotUnderstood(
            f"the quote that opens here never ends: {shown(data[start : start + 200])}",
            at=Location(path, line_of(data, start)),
            hint=f"add the closing {chr(data[start])}",
        )
    if end - start > _LAST_SAFE + 1:
        raise _too_long(data, path, start, f"probably a missing {chr(data[start])}")
    end += 1
    if end < len(data) and data[end] not in _BEHIND_QUOTE:
        raise NotUnderstood(
            f"unexpected {shown(data[end : end + 1])} directly behind a closing quote",
            at=Location(path, line_of(data, end)),
            hint="put a blank or a ; behind the quote",
        )
    return end


def _require_bare_length(data: bytes, path: PurePosixPath, start: int, end: int) -> None:
    # A blank must be read, and the byte behind it, before nginx lets go of the
    # word; a ; or { ends it at once.
    ended = data[end : end + 1] in {b";", b"{"}
    if end - start > (_LAST_SAFE + 1 if ended else _LAST_SAFE):
        raise _too_long(data, path, start, "a word ends at a blank, a ; or a {")


def _require_comment_length(data: bytes, path: PurePosixPath, start: int, end: int) -> None:
    read = min(end + 1, len(data)) - start
    if read > CONF_BUFFER or (read == CONF_BUFFER and start + read < len(data)):
        raise _too_long(data, path, start, "break the comment into several lines")


def _require_lua_end(data: bytes, path: PurePosixPath, start: int) -> int:
    closed = end_of_lua(data, start)
    if closed is None:
        raise NotUnderstood(
            "the Lua block that opens here never ends",
            at=Location(path, line_of(data, start)),
            hint="look for a missing }, quote or closing long bracket",
        )
    return closed


def _too_long(data: bytes, path: PurePosixPath, start: int, hint: str) -> NotUnderstood:
    begin = shown(data[start : start + 200])
    return NotUnderstood(
        f"too long for nginx, which reads {CONF_BUFFER} bytes at once: {begin}",
        at=Location(path, line_of(data, start)),
        hint=hint,
    )


def _unfinished(data: bytes, path: PurePosixPath, at: int) -> NotUnderstood:
    return NotUnderstood(
        "the file ends in a backslash, inside a word",
        at=Location(path, line_of(data, at)),
        hint="finish the directive with a ;",
    )
