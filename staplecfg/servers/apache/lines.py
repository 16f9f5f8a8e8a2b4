"""The lines httpd reads, by the rules of ap_cfg_getline(), with the bytes they stand on."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from staplecfg.model.errors import NotUnderstood
from staplecfg.model.source import Location

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import PurePosixPath

BLANKS = b" \t\n\v\f\r"
"""What apr_isspace() takes for a blank in the C locale; a no-break space is a letter."""

LONGEST = 16 * 1024 * 1024
"""VARBUF_MAX_LEN: a line must be shorter for httpd 2.4, comments and blanks at its ends too."""


class Line(NamedTuple):
    """A line as httpd reads it: continued ones joined, without the blanks around it."""

    text: bytes
    first: int
    """Where its first byte that is no blank stands; where the line ends if it is empty."""
    end: int
    """Where it ends, its last physical line's ending not counted."""
    number: int
    """The physical line of its first byte that is no blank, from 1."""
    following: int
    """Where the next line begins."""


def lines(data: bytes, path: PurePosixPath) -> Iterator[Line]:
    r"""Yield the lines of `data`, empty ones and comments left out.

    Only a line feed ends a line. A backslash before it (or before `\r\n`) joins
    the next line without a blank, in comments too, and also where the backslash
    is itself escaped. Raises `NotUnderstood` where httpd would read less than
    what stands there.
    """
    if b"\0" in data:
        raise NotUnderstood(
            "holds a NUL byte, at which httpd stops reading the line",
            at=Location(path, line_of(data, data.index(b"\0"))),
            hint="save the file as plain text",
        )
    at = 0
    number = 1
    while at < len(data):
        feed = data.find(b"\n", at)
        stop = len(data) if feed < 0 else feed
        if feed >= 0 and data.endswith((b"\\", b"\\\r"), at, stop):
            line = _continued(data, at, number, path)
        else:
            text = data[at:stop].strip(BLANKS)
            if feed < 0:
                _require_kept(stop - at, path, number)
            first = data.find(text, at) if text else stop
            end = stop - data.endswith(b"\r", at, stop) if feed >= 0 else stop
            line = Line(text, first, end, number, stop + (feed >= 0))
        if line.end - at >= LONGEST:
            raise _too_long(path, line.number)
        if line.text and not line.text.startswith(b"#"):
            yield line
        number += 1 if line.following == stop + 1 else data.count(b"\n", at, line.following)
        at = line.following


def line_of(data: bytes, at: int) -> int:
    """Return the line of byte `at`, from 1."""
    return data.count(b"\n", 0, at) + 1


def _continued(data: bytes, start: int, number: int, path: PurePosixPath) -> Line:
    kept: list[tuple[int, int]] = []
    at = start
    while at < len(data):
        feed = data.find(b"\n", at)
        stop = len(data) if feed < 0 else feed
        kept.append((at, stop))
        at = stop + (feed >= 0)
        if feed < 0:
            _require_kept(sum(end - begin for begin, end in kept), path, number)
            return _joined(data, kept, number, start, stop, at)
        # httpd looks at all it has joined so far, not only at the last piece: a
        # backslash left over from a doubled one joins an empty line as well.
        tail = _tail(data, kept)
        cut = 2 if tail == b"\\\r" else 1 if tail.endswith(b"\\") else 0
        if not cut:
            end = stop - data.endswith(b"\r", kept[-1][0], stop)
            return _joined(data, kept, number, start, end, at)
        _shorten(kept, cut)
    _require_kept(sum(end - begin for begin, end in kept), path, number)
    return _joined(data, kept, number, start, at, at)


def _tail(data: bytes, kept: list[tuple[int, int]]) -> bytes:
    tail = b""
    for begin, end in reversed(kept):
        tail = data[max(begin, end - 2) : end] + tail
        if len(tail) > 1:
            break
    return tail[-2:]


def _shorten(kept: list[tuple[int, int]], cut: int) -> None:
    while cut:
        begin, end = kept.pop()
        less = min(cut, end - begin)
        cut -= less
        if end - less > begin:
            kept.append((begin, end - less))


def _joined(
    data: bytes, kept: list[tuple[int, int]], number: int, start: int, end: int, following: int
) -> Line:
    text = b"".join(data[begin:stop] for begin, stop in kept).strip(BLANKS)
    for begin, stop in kept:
        lead = stop - begin - len(data[begin:stop].lstrip(BLANKS))
        if begin + lead < stop:
            first = begin + lead
            return Line(text, first, end, number + data.count(b"\n", start, first), following)
    return Line(text, end, end, number, following)


def _require_kept(length: int, path: PurePosixPath, number: int) -> None:
    """Refuse a last line that httpd 2.4 loses.

    Without a line feed, and just as long as the buffer it is read into, it is
    taken for the end of the file (ap_varbuf_cfg_getline()). The buffer grows
    with the lines before it, by these steps: measured on httpd 2.4.71, 64 bit.
    """
    if (length + 2) % 208 == 0 or (length + 58) % 4096 == 0:
        raise NotUnderstood(
            f"httpd may lose the last line of a file if it has {length} bytes and no line feed",
            at=Location(path, number),
            hint="end the last line with a line feed",
        )


def _too_long(path: PurePosixPath, number: int) -> NotUnderstood:
    return NotUnderstood(
        f"too long for httpd, which reads {LONGEST} bytes of a line at most",
        at=Location(path, number),
        hint="break the line into several directives",
    )
