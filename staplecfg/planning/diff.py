"""Changes as a patch that `git apply` and `patch -p1` take, in the root directory.

Hunks come from the edits, not from comparing texts: a comparison is quadratic,
and may tell another story than what happened. Bytes go through as they are,
whatever their encoding and line endings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.model.change import Content, Kind
from staplecfg.model.edit import apply_edits
from staplecfg.planning.hunks import Hunk, hunks, pieces, whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from staplecfg.model.change import Change

NO_LINE_FEED = b"\n\\ No newline at end of file\n"

EXECUTABLE = 0o111
ESCAPES = {
    ord("\a"): b"\\a",
    ord("\b"): b"\\b",
    ord("\t"): b"\\t",
    ord("\n"): b"\\n",
    ord("\v"): b"\\v",
    ord("\f"): b"\\f",
    ord("\r"): b"\\r",
    ord('"'): b'\\"',
    ord("\\"): b"\\\\",
}


def unified(changes: Iterable[Change]) -> bytes:
    """Return `changes` as one patch; empty where there are none.

    A staple is a line that patch programs pass over: it is there for people to
    see, and comes from its responder.
    """
    return b"".join(_change(change) for change in changes)


def _change(change: Change) -> bytes:
    before, after = change.before, change.after
    if change.kind is Kind.STAPLE:
        return _staple(change)
    if before is not None and after is not None and _is_link(before) != _is_link(after):
        # git tells a change of type as one file that goes and another that comes.
        return b"".join([*_file(change, before, None), *_file(change, None, after)])
    return b"".join(_file(change, before, after))


def _staple(change: Change) -> bytes:
    what = "is no longer served" if change.after is None else f"{len(change.after.data)} bytes"
    path = str(change.path).encode("utf-8", "surrogateescape")
    return b"# staple " + _name(path) + f": {what}\n".encode()


def _file(change: Change, before: Content | None, after: Content | None) -> Iterator[bytes]:
    old, new = _text(before), _text(after)
    edited = bool(change.edits) and apply_edits(old, change.edits) == new
    changed = pieces(old, change.edits) if edited else whole(old, new)
    path = str(change.path).lstrip("/").encode("utf-8", "surrogateescape")
    was, will_be = _name(b"a/" + path), _name(b"b/" + path)
    yield b"diff --git " + was + b" " + will_be + b"\n"
    if before is None and after is not None:
        yield b"new file mode " + _mode(after) + b"\n"
    if after is None and before is not None:
        yield b"deleted file mode " + _mode(before) + b"\n"
    if changed:
        yield b"--- " + (_ended(was) if before is not None else b"/dev/null\n")
        yield b"+++ " + (_ended(will_be) if after is not None else b"/dev/null\n")
    for hunk in hunks(old, changed):
        yield _hunk(hunk)


def _hunk(hunk: Hunk) -> bytes:
    old = _range(hunk.old_start, hunk.count(b"-"))
    new = _range(hunk.new_start, hunk.count(b"+"))
    head = f"@@ -{old} +{new} @@\n".encode()
    return head + b"".join(
        mark + (line if line.endswith(b"\n") else line + NO_LINE_FEED) for mark, line in hunk.lines
    )


def _range(start: int, count: int) -> str:
    # Of no lines at all, the one before is named (POSIX, diff -u).
    first = start + 1 if count else start
    return f"{first}" if count == 1 else f"{first},{count}"


def _text(content: Content | None) -> bytes:
    if content is None:
        return b""
    if content.link is not None:
        return content.link.encode("utf-8", "surrogateescape")
    return content.data


def _mode(content: Content) -> bytes:
    if _is_link(content):
        return b"120000"
    return b"100755" if (content.mode or 0) & EXECUTABLE else b"100644"


def _is_link(content: Content) -> bool:
    return content.link is not None


def _name(path: bytes) -> bytes:
    """Return `path` as git writes it: quoted where it holds anything but plain ASCII."""
    if all(0x20 <= byte < 0x7F and byte not in ESCAPES for byte in path):  # noqa: PLR2004 - ASCII
        return path
    escaped = (
        ESCAPES.get(byte, bytes([byte]) if 0x20 <= byte < 0x7F else f"\\{byte:03o}".encode())  # noqa: PLR2004 - ASCII
        for byte in path
    )
    return b'"' + b"".join(escaped) + b'"'


def _ended(name: bytes) -> bytes:
    # A tab ends a name that holds a blank; without one, `patch` takes the rest for a date.
    return name + (b"\t\n" if b" " in name and not name.startswith(b'"') else b"\n")
