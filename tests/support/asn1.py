"""Write DER, right or wrong: what the builders of `cryptography` refuse to say, a liar must."""

from __future__ import annotations

from datetime import datetime, timezone

SEQUENCE = 0x30
NULL = b"\x05\x00"


def tlv(tag: int, *parts: bytes) -> bytes:
    """Return one element with the identifier octet `tag` around `parts`."""
    content = b"".join(parts)
    if len(content) < 0x80:
        return bytes([tag, len(content)]) + content
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def sequence(*parts: bytes) -> bytes:
    return tlv(SEQUENCE, *parts)


def explicit(number: int, *parts: bytes) -> bytes:
    """Return a constructed context tag `[number]` around `parts`."""
    return tlv(0xA0 | number, *parts)


def integer(value: int) -> bytes:
    # X.690 8.3.2: the shortest form, in which -128 takes one octet as 127 does.
    length = max(value, ~value).bit_length() // 8 + 1
    return tlv(0x02, value.to_bytes(length, "big", signed=True))


def enumerated(value: int) -> bytes:
    return tlv(0x0A, bytes([value]))


def octets(value: bytes) -> bytes:
    return tlv(0x04, value)


def bits(value: bytes) -> bytes:
    return tlv(0x03, b"\x00", value)


def oid(dotted: str) -> bytes:
    first, second, *rest = (int(arc) for arc in dotted.split("."))
    return tlv(0x06, *(_base128(arc) for arc in (first * 40 + second, *rest)))


def _base128(arc: int) -> bytes:
    low = [arc & 0x7F]
    while arc := arc >> 7:
        low.append(0x80 | arc & 0x7F)
    return bytes(reversed(low))


def time(at: datetime | bytes) -> bytes:
    """Return a GeneralizedTime: of a moment as RFC 5280 wants it, of bytes as they are."""
    if isinstance(at, bytes):
        return tlv(0x18, at)
    return tlv(0x18, at.astimezone(timezone.utc).strftime("%Y%m%d%H%M%SZ").encode())


def extension(dotted: str, value: bytes, *, critical: bool = False) -> bytes:
    return sequence(oid(dotted), *([tlv(0x01, b"\xff")] if critical else []), octets(value))


def parts(element: bytes) -> list[bytes]:
    """Split what a constructed `element` contains; trusts that it is DER."""
    content = element[_header(element) :]
    found = []
    while content:
        end = _header(content) + _length(content)
        found.append(content[:end])
        content = content[end:]
    return found


def _header(element: bytes) -> int:
    return 2 + (element[1] & 0x7F if element[1] & 0x80 else 0)


def _length(element: bytes) -> int:
    if not element[1] & 0x80:
        return element[1]
    return int.from_bytes(element[2 : _header(element)], "big")
