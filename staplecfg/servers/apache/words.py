"""How one word of httpd's configuration is written, and what httpd makes of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from staplecfg.model.errors import UsageProblem

if TYPE_CHECKING:
    from collections.abc import Iterable

LONGEST_LINE = 8000
"""Bytes we write into a line. httpd reads 8190 in a macro's body, blanks before it counted."""

# ap_getword_conf(): a quote counts only at the beginning of a word, need not be
# closed, and need not have a blank behind it. Blanks behind a word go with it.
_WORD = re.compile(
    rb"""[ \t\n\v\f\r]*(?:"((?:\\["\\]|[^"])*)"?|'((?:\\['\\]|[^'])*)'?|([^ \t\n\v\f\r]+))"""
    rb"""[ \t\n\v\f\r]*""",
)
_ESCAPES = {
    1: re.compile(rb'\\(["\\])'),
    2: re.compile(rb"\\(['\\])"),
    3: re.compile(rb"\\(\\)"),
}

# Far less than httpd takes bare, on purpose.
_PLAIN = re.compile(r"[A-Za-z0-9_./:*^=@%+,?&!|()\[\]~-]+")
_UNWRITABLE = re.compile(r"[\n\0]|\$\{")
_WRITTEN = str.maketrans({'"': '\\"', "\\": "\\\\"})


def split(text: bytes) -> tuple[str, ...]:
    """Return the words of `text`, unquoted, as ap_getword_conf() finds them one by one.

    Values are `str` by surrogateescape. `${NAME}` stays: httpd puts variables
    into the whole line before it looks for words.
    """
    return tuple(_meant(match).decode("utf-8", "surrogateescape") for match in _WORD.finditer(text))


def next_word(text: bytes, at: int = 0) -> tuple[bytes | None, int]:
    """Return the word of `text` that begins at `at` or behind, and where what follows begins.

    The word is None where only blanks are left.
    """
    match = _WORD.match(text, at)
    return (None, len(text)) if match is None else (_meant(match), match.end())


def _meant(match: re.Match[bytes]) -> bytes:
    kind = match.lastindex or 3
    word: bytes = match[kind]
    return _ESCAPES[kind].sub(rb"\1", word) if b"\\" in word else word


def quote(word: str) -> str:
    """Return `word` as it must be written for httpd to read exactly `word`.

    Raises `UsageProblem` where no writing does: a line feed or a NUL byte in
    it, or `${`, which httpd may take for a variable in quotes too.
    """
    if _UNWRITABLE.search(word):
        raise UsageProblem(
            f"httpd cannot be told {word!r}: a line feed, a NUL byte or ${{ cannot be written",
            hint="use another path or name",
        )
    if _PLAIN.fullmatch(word):
        return word
    return f'"{word.translate(_WRITTEN)}"'


def statement(words: Iterable[str]) -> str:
    """Return the directive that httpd reads as `words`, one line without its ending.

    Raises `UsageProblem` where a word cannot be written or the line is longer
    than httpd reads everywhere.
    """
    name, *args = words
    line = " ".join((name, *map(quote, args)))
    length = len(line.encode("utf-8", "surrogateescape"))
    if length > LONGEST_LINE:
        raise UsageProblem(
            f"a line of {length} bytes is too long for httpd, which reads {LONGEST_LINE} "
            "in a macro",
            hint="use a shorter path or name",
        )
    return line
