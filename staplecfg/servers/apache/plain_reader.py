"""A second reader: httpd's steps one after another, and nothing of `lines`, `words` and `scan`.

No library reads httpd's language well enough to differ only where something is
wrong. So this is a reader of our own, built another way: it keeps no bytes'
places, joins and cuts as it goes, and looks at one byte after the other. It
finds slips of the other one's arithmetic. What both authors misunderstood it
cannot find: that is left to httpd itself, whose own reading is compared before
an edit and which tests every edit before it takes effect.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_SPACE = frozenset(b" \t\n\v\f\r")


class Statement(NamedTuple):
    """A directive, or the opening of a section, as deep as it stands in others."""

    depth: int
    name: str
    """In lower case, a section's with its `<`."""
    args: tuple[str, ...]
    last_line: int


class Failure(NamedTuple):
    """Why the file cannot be read, and where."""

    problem: str
    line: int


def read(data: bytes) -> list[Statement] | Failure:
    """Return the directives of `data` in their order, or why there are none."""
    found: list[Statement] = []
    inside: list[str] = []
    number = 0
    for number, text in _lines(data):
        if inside and inside[-1].startswith(("<perl", "<lua")):
            if text.lower().startswith(f"</{inside[-1][1:]}".encode("utf-8", "surrogateescape")):
                inside.pop()
            continue
        first, at = _word(text, 0)
        rest = text[at:]
        name = _text(first.lower())
        if name.startswith("</"):
            if not inside or name != f"</{inside[-1][1:]}>":
                return Failure(f"{name[:60]} closes nothing", number)
            inside.pop()
            continue
        if name.endswith(">") and len(name) > 1 and name[1] != "/":
            name = name[:-1]
        section = name.startswith("<")
        if section and rest and b">" not in rest:
            return Failure(f"{name[:60]} has no closing >", number)
        found.append(Statement(len(inside), name, _args(rest, section), number))
        if section:
            inside.append(name)
    return Failure(f"{inside[-1][:60]}> is never closed", number) if inside else found


def _lines(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield what httpd reads, with the number of the last physical line it read for it."""
    buffer = bytearray()
    number = 0
    pieces = data.split(b"\n")
    for number, piece in enumerate(pieces, 1):
        buffer += piece
        if number < len(pieces):
            unreturned = buffer[:-1] if buffer.endswith(b"\r") else buffer
            if unreturned.endswith(b"\\"):
                buffer = unreturned[:-1]
                continue
        yield from _kept(number, bytes(buffer))
        buffer = bytearray()
    yield from _kept(number, bytes(buffer))


def _kept(number: int, line: bytes) -> Iterator[tuple[int, bytes]]:
    text = line.strip()
    if text and text[:1] != b"#":
        yield number, text


def _args(rest: bytes, section: bool) -> tuple[str, ...]:  # noqa: FBT001 - what to do is what is read
    if section:
        rest = rest.rpartition(b">")[0]
    if b"\\" not in rest and b'"' not in rest and b"'" not in rest:
        return tuple(map(_text, rest.split()))
    args = []
    at = _skipped(rest, 0)
    while at < len(rest):
        word, at = _word(rest, at)
        args.append(_text(word))
    return tuple(args)


def _word(text: bytes, at: int) -> tuple[bytes, int]:
    """Return the word of `text` that begins at `at`, and where the next one does."""
    quote = text[at] if text[at] in b"\"'" else None
    at += quote is not None
    word = bytearray()
    while at < len(text):
        byte = text[at]
        if byte == quote or (quote is None and byte in _SPACE):
            break
        following = text[at + 1] if at + 1 < len(text) else None
        if byte == ord("\\") and following is not None and following in (ord("\\"), quote):
            at += 1
            byte = following
        word.append(byte)
        at += 1
    return bytes(word), _skipped(text, at + (quote is not None))


def _skipped(text: bytes, at: int) -> int:
    while at < len(text) and text[at] in _SPACE:
        at += 1
    return at


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")
