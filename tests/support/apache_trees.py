"""Apache configurations in memory, and the pieces of them a test asks for."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from staplecfg.model.filesystem import MemoryFilesystem
from staplecfg.model.installation import Installation
from staplecfg.model.settings import Settings
from staplecfg.model.source import Location
from staplecfg.servers.apache import evaluate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from staplecfg.model.site import Configuration

ROOT = PurePosixPath("/etc/apache2")
MAIN = "/etc/apache2/apache2.conf"
STATIC = "core.c mod_so.c mod_watchdog.c http_core.c mod_log_config.c mod_version.c mod_unixd.c"
"""What Debian's binary has compiled in."""
SSL = "LoadModule ssl_module modules/mod_ssl.so\n"


def installed(details: Mapping[str, str] | None = None) -> Installation:
    return Installation(
        "apache",
        PurePosixPath("/usr/sbin/apache2"),
        (2, 4, 71),
        "Apache/2.4.71 (Debian)",
        PurePosixPath(MAIN),
        ROOT,
        {"static-modules": STATIC} if details is None else details,
    )


def memory(
    files: Mapping[str, str | bytes], links: Mapping[str, str] | None = None
) -> MemoryFilesystem:
    """Return a tree; a name without a leading slash is below /etc/apache2."""
    data = {
        str(ROOT / name): text.encode() if isinstance(text, str) else text
        for name, text in files.items()
    }
    return MemoryFilesystem.of(
        data, {str(ROOT / name): target for name, target in (links or {}).items()}
    )


def read(
    files: Mapping[str, str | bytes] | str,
    links: Mapping[str, str] | None = None,
    *,
    details: Mapping[str, str] | None = None,
    force: bool = False,
) -> Configuration:
    """Evaluate `files`, or the main file alone where they are a text."""
    tree = {"apache2.conf": files} if isinstance(files, str) else files
    return evaluate.configuration(memory(tree, links), installed(details), Settings(force=force))


def at(line: int, name: str = "apache2.conf") -> Location:
    return Location(ROOT / name, line)
