"""How one word of nginx's configuration is written, and what nginx makes of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from staplecfg.model.errors import UsageProblem

if TYPE_CHECKING:
    from collections.abc import Iterable

CONF_BUFFER = 4096
"""NGX_CONF_BUFFER: what nginx holds of a file at once, and so the end of every word."""

LONGEST_QUOTED = CONF_BUFFER - 2
"""Bytes between quotes: the closing one and the byte behind it must fit the buffer too."""

_ESCAPE = re.compile(rb"""\\(["'\\trn])""")
_MEANT = {b"t": b"\t", b"r": b"\r", b"n": b"\n"}
_WRITTEN = str.maketrans({'"': '\\"', "\\": "\\\\", "\t": "\\t", "\r": "\\r", "\n": "\\n"})

# Far less than nginx takes bare, on purpose: what is left out here is what
# people and crossplane stumble over.
_PLAIN = re.compile(r"[A-Za-z0-9_./:*~^=@%+,?&!|<>\[\]$-]+")


def unescape(raw: bytes) -> bytes:
    r"""Return what nginx makes of `raw`, the text of a word without its quotes.

    Only `\"`, `\'`, `\\`, `\t`, `\r` and `\n` mean something; any other
    backslash stays, with what follows it.
    """
    if b"\\" not in raw:
        return raw
    return _ESCAPE.sub(lambda found: _MEANT.get(found[1], found[1]), raw)


def quote(word: str) -> str:
    """Return `word` as it must be written for nginx to read exactly `word`, on one line.

    Raises `UsageProblem` where it is longer than nginx's buffer.
    """
    if _PLAIN.fullmatch(word) and len(word) <= LONGEST_QUOTED:
        return word
    inner = word.translate(_WRITTEN)
    length = len(inner.encode("utf-8", "surrogateescape"))
    if length > LONGEST_QUOTED:
        raise UsageProblem(
            f"a word of {length} bytes is too long for nginx, which reads {LONGEST_QUOTED} at most",
            hint="use a shorter path or name",
        )
    return f'"{inner}"'


def statement(words: Iterable[str]) -> str:
    """Return the simple directive that nginx reads as `words`, up to its `;`."""
    return " ".join(map(quote, words)) + ";"
