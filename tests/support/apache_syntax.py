"""What the real httpd says of a text: its own test, without a server, modules or a machine."""

from __future__ import annotations

import functools
import re
import subprocess
from typing import TYPE_CHECKING

from tests.support.apache import find_apache, modules_of

if TYPE_CHECKING:
    from pathlib import Path

_STRUCTURE = re.compile(
    rb"without matching|was not closed|Expected </|before end of configuration"
    rb"|missing closing '>'|expected token not found|Line too long"
)
_READ_AT_ONCE = re.compile(
    rb"(?im)^(?=[ \t]*(?:Include|IncludeOptional|LoadModule|LoadFile|Define|UnDefine|Use|ServerRoot"
    rb"|Error|UndefMacro|DefaultRuntimeDir|<IfDirective|<IfSection|<IfFile|<IfVersion)\b)[ \t]*"
)


@functools.cache
def _preamble() -> tuple[str, ...]:
    modules = modules_of(find_apache())
    words = ["ServerName localhost", "ErrorLog /dev/null"]
    words += [
        f"LoadModule {name}_module {modules}/mod_{name}.so"
        for name in ("mpm_event", "macro", "ssl", "socache_shmcb")
        if (modules / f"mod_{name}.so").exists()
    ]
    return tuple(word for line in words for word in ("-C", line))


def configtest(data: bytes, directory: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Run httpd's own test over `data` as the main file, with `arguments` to it."""
    file = directory / "httpd.conf"
    file.write_bytes(data)
    return subprocess.run(
        [find_apache(), "-t", *arguments, "-d", directory, "-f", file, *_preamble()],
        capture_output=True,
        check=False,
        timeout=60,
    )


def structure_problem(data: bytes, directory: Path) -> bytes | None:
    """Return what httpd says against the sections of `data`, or None.

    An unknown directive is looked at only after all has been read: it is no matter here.
    """
    said = configtest(data, directory).stderr
    return said if _STRUCTURE.search(said) else None


def only_structure(data: bytes, *, decided: bool) -> bytes:
    """Return `data` with nothing that httpd acts on while it reads, but for its If-sections.

    They become true where `decided`, and false else.
    """
    bare = _READ_AT_ONCE.sub(b"X", data)
    bare = re.sub(rb"(?im)^[ \t]*</(IfDirective|IfSection|IfFile|IfVersion)>", rb"</X\1>", bare)
    bare = bare.replace(b"X<", b"<X")
    chosen = b"core.c" if decided else b"no.c"
    bare = re.sub(rb"(?i)<IfModule\s[^>\n\\]*>", b"<IfModule " + chosen + b">", bare)
    return re.sub(rb"(?i)<IfDefine\s[^>\n\\]*>", b"<IfDefine " + b"!" * decided + b"NOBODY>", bare)
