"""Compare distinguished names as RFC 5280, 7.1 wants: not every CA encodes its own alike twice."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, TypeAlias

from staplecfg.pki import der

if TYPE_CHECKING:
    from staplecfg.pki.der import Element

SET = 0x31

ENCODINGS = {
    0x0C: "utf-8",
    0x12: "ascii",
    0x13: "ascii",
    0x14: "latin-1",
    0x16: "ascii",
    0x1A: "ascii",
    0x1C: "utf-32-be",
    0x1E: "utf-16-be",
}
"""String types by tag: UTF8, Numeric, Printable, Teletex, IA5, Visible, Universal, BMP."""

Attribute: TypeAlias = "tuple[bytes, bytes | str]"


def same_name(one: bytes, other: bytes) -> bool:
    """Say whether the DER names `one` and `other` match.

    Strings are compared without case, without surplus spaces and whatever
    their type; anything else octet by octet. A name that cannot be read
    matches only itself.
    """
    if one == other:
        return True
    try:
        return _relative_names(one) == _relative_names(other)
    except der.NotDER:
        return False


def _relative_names(name: bytes) -> list[frozenset[Attribute]]:
    sets = der.children(der.read(name, der.SEQUENCE))
    return [
        frozenset(_attribute(member) for member in der.children(der.expect(one, SET)))
        for one in sets
    ]


def _attribute(element: Element) -> Attribute:
    fields = der.Fields(element)
    kind = fields.take(der.OBJECT_IDENTIFIER)
    value = fields.any()
    fields.end()
    if value.tag not in ENCODINGS:
        return kind.content, value.whole
    try:
        text = value.content.decode(ENCODINGS[value.tag])
    except UnicodeDecodeError:
        return kind.content, value.whole
    return kind.content, " ".join(unicodedata.normalize("NFKC", text).casefold().split())
