"""Foreign text made safe to show: names and paths may hold terminal escapes."""

from __future__ import annotations

import re
import unicodedata

UNSAFE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
"""Control characters but tab and newline, line separators, and undecodable bytes."""


def clean(text: str) -> str:
    r"""Return `text` with everything a terminal might obey written out as `\xNN` or `\uNNNN`.

    Undecodable bytes, carried as lone surrogates, become `\xNN` too. Characters
    that reorder text (Unicode category Cf) are written out, for they can make a
    path read as another (Trojan Source).
    """
    return "".join(_shown(character) for character in text)


def clean_line(text: str) -> str:
    """Return `text` cleaned and on one line: its newlines and tabs are written out too."""
    return clean(text).replace("\n", "\\n").replace("\t", "\\t")


def _shown(character: str) -> str:
    if UNSAFE.match(character):
        code = ord(character)
        if 0xDC80 <= code <= 0xDCFF:  # noqa: PLR2004 - the range of surrogateescape (PEP 383)
            code -= 0xDC00
        return _escape(code)
    return _escape(ord(character)) if unicodedata.category(character) == "Cf" else character


def _escape(code: int) -> str:
    r"""Return `code` as `\xNN`, `\uNNNN` or `\UNNNNNNNN`, whichever holds it."""
    if code > 0xFFFF:  # noqa: PLR2004 - four digits
        return f"\\U{code:08x}"
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}"  # noqa: PLR2004 - two digits
