"""Which files an include's pattern names: glob(3) as nginx calls it, over any Filesystem."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from staplecfg.model.filesystem import Filesystem

_MAGIC = re.compile(r"[*?\[]")
_CLASS = re.compile(rb"\[([!^]?)(\]?[^\]]*)\]")


def is_pattern(path: str) -> bool:
    """Say whether nginx hands `path` to glob(3): only then may it name no file at all."""
    return _MAGIC.search(path) is not None


def expand(files: Filesystem, pattern: str) -> tuple[PurePosixPath, ...]:
    """Return the paths that absolute `pattern` names, in the order nginx reads them.

    That is by bytes, for nginx keeps the C locale; so does `?`, which stands for
    one byte. Names with a leading dot need one in the pattern. Directories and
    dangling links are named too (glibc 2.27), and nginx fails on them. Raises
    `Unreadable` where a directory may not be listed.
    """
    found = [PurePosixPath("/")]
    checked = True
    for part in pattern.split("/"):
        if part in {"", "."}:
            continue
        if is_pattern(part):
            wanted = re.compile(_regex(_bytes(part)), re.DOTALL)
            found = [
                directory / name
                for directory in found
                for name in files.listing(directory)
                if wanted.fullmatch(_bytes(name))
            ]
            checked = True
        else:
            literal = re.sub(r"\\(.)", r"\1", part)
            found = [directory / literal for directory in found]
            checked = False
    if not checked:
        found = [path for path in found if files.exists(path)]
    return tuple(sorted(found, key=lambda path: _bytes(str(path))))


def _regex(part: bytes) -> bytes:
    """Return `part` of a pattern as a regular expression over bytes."""
    # FNM_PERIOD: neither *, ? nor [.] matches a leading dot.
    pieces = [b"" if part.startswith((b".", b"\\.")) else rb"(?!\.)"]
    at = 0
    while at < len(part):
        mark = part[at : at + 1]
        bracket = _CLASS.match(part, at) if mark == b"[" else None
        if bracket is not None:
            pieces.append(_class(bracket[1], bracket[2]))
            at = bracket.end()
            continue
        if mark == b"\\" and at + 1 < len(part):
            at += 1
            mark = re.escape(part[at : at + 1])
        else:
            mark = {b"*": b".*", b"?": b"."}.get(mark, re.escape(mark))
        pieces.append(mark)
        at += 1
    return b"".join(pieces)


def _class(negated: bytes, members: bytes) -> bytes:
    """Return a bracket expression; only a `-` between two members means a range."""
    pieces = []
    at = 0
    while at < len(members):
        low = members[at : at + 1]
        if members[at + 1 : at + 2] == b"-" and at + 2 < len(members):
            high = members[at + 2 : at + 3]
            # An empty range matches nothing, as in glob(3); re would not compile it.
            pieces.append(re.escape(low) + b"-" + re.escape(high) if low <= high else b"")
            at += 3
        else:
            pieces.append(re.escape(low))
            at += 1
    inner = b"".join(pieces)
    if not inner:
        return b"(?!)" if not negated else b"."
    return (b"[^" if negated else b"[") + inner + b"]"


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
