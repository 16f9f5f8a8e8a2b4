"""What a laboratory's Apache finds on disk: every file and link, with its mode."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.support.apache import Apache

ITS_OWN = frozenset({"run", "lock", "log", "htdocs"})
"""Directories in the prefix that Apache writes to, or reads no configuration from."""


@dataclass(frozen=True)
class Seen:
    """A file, or a link to `link`; `mode` are its permissions."""

    content: bytes
    mode: int
    link: str | None = None


def seen(apache: Apache) -> dict[str, Seen]:
    """Return every file and link of the configuration, by relative path."""
    found: dict[str, Seen] = {}
    for path in sorted(apache.prefix.rglob("*")):
        name = path.relative_to(apache.prefix)
        if name.parts[0] in ITS_OWN:
            continue
        mode = path.lstat().st_mode & 0o7777
        if path.is_symlink():
            found[str(name)] = Seen(b"", mode, str(path.readlink()))
        elif path.is_file():
            found[str(name)] = Seen(path.read_bytes(), mode)
    return found


def only_added(before: bytes, after: bytes) -> bool:
    """Say whether every line of `before` stands in `after`, in its order, to the byte."""
    lines = iter(after.splitlines(keepends=True))
    return all(line in lines for line in before.splitlines(keepends=True))
