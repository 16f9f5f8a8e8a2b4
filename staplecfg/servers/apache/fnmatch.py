"""Wildcards in file names, by the rules of apr_fnmatch() with APR_FNM_PERIOD."""

from __future__ import annotations

import re
from functools import lru_cache


def is_pattern(text: str) -> bool:
    r"""Say whether httpd looks for matches of `text`: a `*`, a `?`, or a `[` with a `]` after it.

    A backslash takes the meaning from what follows it (apr_fnmatch_test()).
    """
    opened = False
    marks = iter(text)
    for mark in marks:
        if mark in "*?" or (mark == "]" and opened):
            return True
        if mark == "\\":
            next(marks, None)
        opened = opened or mark == "["
    return False


def matches(pattern: str, name: str) -> bool:
    """Say whether `name`, one component of a path, matches `pattern`.

    A leading dot must be written. What is no pattern at all is compared as it
    stands, backslashes too: httpd never hands it to apr_fnmatch().
    """
    if not is_pattern(pattern):
        return pattern == name
    return _compiled(pattern).fullmatch(_bytes(name)) is not None


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[bytes]:
    text = _bytes(pattern)
    pieces = [b"" if text.startswith((b".", b"\\.")) else rb"(?!\.)"]
    at = 0
    while at < len(text):
        mark = text[at : at + 1]
        if mark == b"[":
            piece, at = _members(text, at)
        elif mark == b"\\" and at + 1 < len(text):
            piece, at = re.escape(text[at + 1 : at + 2]), at + 2
        else:
            piece, at = {b"*": b".*", b"?": b"."}.get(mark, re.escape(mark)), at + 1
        pieces.append(piece)
    return re.compile(b"".join(pieces), re.DOTALL)


def _members(text: bytes, at: int) -> tuple[bytes, int]:
    """Return what the bracket at `at` matches, and where it ends; `[` itself where none closes."""
    begin = at + 1
    negated = text[begin : begin + 1] in {b"!", b"^"}
    pieces: list[bytes] = []
    here = begin + negated
    first = here
    while here < len(text):
        if text[here : here + 1] == b"]" and here > first:
            return _class(pieces, negated=negated), here + 1
        low, here = _member(text, here)
        if text[here : here + 1] == b"-" and text[here + 1 : here + 2] not in {b"", b"]"}:
            high, here = _member(text, here + 1)
            # An empty range matches nothing; re would not compile it.
            pieces.append(re.escape(low) + b"-" + re.escape(high) if low <= high else b"")
        else:
            pieces.append(re.escape(low))
    return re.escape(b"["), at + 1


def _member(text: bytes, at: int) -> tuple[bytes, int]:
    at += text[at : at + 1] == b"\\" and at + 1 < len(text)
    return text[at : at + 1], at + 1


def _class(pieces: list[bytes], *, negated: bool) -> bytes:
    inner = b"".join(pieces)
    if not inner:
        return b"." if negated else b"(?!)"
    return (b"[^" if negated else b"[") + inner + b"]"


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
