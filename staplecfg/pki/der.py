"""Read DER one element at a time: what `cryptography` parses but does not show.

Strict where DER is (X.690, 8.1 and 10.1): definite, minimal lengths, nothing
after the element. Never recursive, so nesting costs nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone

BOOLEAN = 0x01
INTEGER = 0x02
BIT_STRING = 0x03
OCTET_STRING = 0x04
NULL = 0x05
OBJECT_IDENTIFIER = 0x06
ENUMERATED = 0x0A
GENERALIZED_TIME = 0x18
SEQUENCE = 0x30

MULTI_BYTE_TAG = 0x1F
LONG_FORM = 0x80
MOST_LENGTH_OCTETS = 4
"""Longer lengths than 4 GiB are nonsense here."""
MOST_IDENTIFIER_OCTETS = 64
TIME_LENGTH = 15
TIME_PARTS = ((0, 4), (4, 6), (6, 8), (8, 10), (10, 12), (12, 14))


class NotDER(ValueError):
    """The bytes are not the DER that was expected; the text fits after a colon."""


@dataclass(frozen=True, slots=True)
class Element:
    """One element: its identifier octet, its content, and all of its bytes."""

    tag: int
    content: bytes
    whole: bytes


def context(number: int, *, constructed: bool = True) -> int:
    """Return the identifier octet of the context-specific tag `[number]`."""
    return (0xA0 if constructed else 0x80) | number


def read_first(data: bytes) -> tuple[Element, bytes]:
    """Return the element `data` begins with and the bytes after it; raises `NotDER`."""
    header = 2
    if len(data) < header:
        raise NotDER("an element is cut short")
    tag, length = data[0], data[1]
    if tag & MULTI_BYTE_TAG == MULTI_BYTE_TAG:
        raise NotDER("an element has a tag of several bytes, which nothing here uses")
    if length >= LONG_FORM:
        octets = data[header : header + (length & ~LONG_FORM)]
        header += length & ~LONG_FORM
        length = _long_length(octets, length & ~LONG_FORM)
    end = header + length
    if len(data) < end:
        raise NotDER(f"an element is cut short (got {len(data)} bytes, expected {end})")
    return Element(tag, data[header:end], data[:end]), data[end:]


def _long_length(octets: bytes, wanted: int) -> int:
    if not 0 < wanted <= MOST_LENGTH_OCTETS or len(octets) < wanted:
        raise NotDER("an element's length is indefinite, absurd or cut short")
    length = int.from_bytes(octets, "big")
    if octets[0] == 0 or length < LONG_FORM:
        raise NotDER("an element's length is not in its shortest form")
    return length


def read(data: bytes, tag: int) -> Element:
    """Return the one element of `tag` that `data` is; raises `NotDER`, also for bytes after it."""
    element, rest = read_first(data)
    if rest:
        raise NotDER(f"{len(rest)} bytes follow where nothing should")
    return expect(element, tag)


def expect(element: Element, tag: int) -> Element:
    """Return `element` if it is of `tag`; raises `NotDER`."""
    if element.tag != tag:
        raise NotDER(f"an element is of another kind (got tag {element.tag:#x}, expected {tag:#x})")
    return element


def children(element: Element, most: int | None = None) -> tuple[Element, ...]:
    """Return the elements inside `element`; raises `NotDER`, also for more than `most`."""
    found: list[Element] = []
    rest = element.content
    while rest:
        if most is not None and len(found) == most:
            raise NotDER(f"a list has more than {most} members")
        child, rest = read_first(rest)
        found.append(child)
    return tuple(found)


class Fields:
    """The members of a SEQUENCE, taken in order; what nobody took is an error."""

    __slots__ = ("_members", "_next")

    def __init__(self, element: Element, tag: int = SEQUENCE) -> None:
        """Begin before the first member of `element`, which must be of `tag`."""
        self._members = children(expect(element, tag))
        self._next = 0

    def any(self) -> Element:
        """Take the next member, whatever it is; raises `NotDER` where there is none."""
        if self._next == len(self._members):
            raise NotDER("a member of a sequence is missing")
        self._next += 1
        return self._members[self._next - 1]

    def take(self, tag: int) -> Element:
        """Take the next member, which must be of `tag`; raises `NotDER`."""
        return expect(self.any(), tag)

    def optional(self, tag: int) -> Element | None:
        """Take the next member if it is of `tag`."""
        if self._next == len(self._members) or self._members[self._next].tag != tag:
            return None
        return self.any()

    def end(self) -> None:
        """Raise `NotDER` where members are left."""
        if self._next != len(self._members):
            raise NotDER("a sequence has a member too many")


def sequence(content: bytes) -> bytes:
    """Return the SEQUENCE of the elements in `content`."""
    length = len(content)
    if length < LONG_FORM:
        return bytes((SEQUENCE, length)) + content
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((SEQUENCE, LONG_FORM | len(octets))) + octets + content


def inside(element: Element, tag: int) -> Element:
    """Return the one element of `tag` in the explicit tag `element`; raises `NotDER`."""
    return read(element.content, tag)


def integer(element: Element) -> int:
    """Return the value of an INTEGER or ENUMERATED; raises `NotDER`."""
    value = int.from_bytes(element.content, "big", signed=True)
    if len(element.content) != _shortest(value):
        raise NotDER("a number is not in its shortest form")
    return value


def _shortest(value: int) -> int:
    magnitude = value if value >= 0 else ~value
    return magnitude.bit_length() // 8 + 1


def boolean(element: Element) -> bool:
    """Return the value of a BOOLEAN; raises `NotDER`."""
    if element.content not in {b"\x00", b"\xff"}:
        raise NotDER("a BOOLEAN is neither TRUE nor FALSE")
    return element.content == b"\xff"


def identifier(element: Element) -> str:
    """Return an OBJECT IDENTIFIER in dotted form; raises `NotDER`."""
    octets = element.content
    if not octets or octets[-1] & 0x80 or len(octets) > MOST_IDENTIFIER_OCTETS:
        raise NotDER("an object identifier is empty, too long or cut short")
    arcs, arc = [], 0
    for octet in octets:
        arc = arc << 7 | octet & 0x7F
        if not octet & 0x80:
            arcs.append(arc)
            arc = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(str(arc) for arc in (first, arcs[0] - 40 * first, *arcs[1:]))


def bits(element: Element) -> bytes:
    """Return the octets of a BIT STRING that has no unused bits; raises `NotDER`."""
    if element.content[:1] != b"\x00":
        raise NotDER("a BIT STRING does not end with an octet")
    return element.content[1:]


def moment(element: Element) -> datetime | None:
    """Return what a GeneralizedTime says, or None where it is not `YYYYMMDDHHMMSSZ`.

    RFC 5280, 4.1.2.5.2 allows no other form. Clients that let one through read
    it differently: some take a response with fractional seconds for fresh for ever.
    """
    text = element.content
    if len(text) != TIME_LENGTH or not text[:-1].isdigit() or text[-1:] != b"Z":
        return None
    year, month, day, hour, minute, second = (int(text[start:end]) for start, end in TIME_PARTS)
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=timezone.utc)
    except ValueError:
        return None
