"""nginx configurations in memory, and the pieces of them a test asks for."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from staplecfg.model.filesystem import MemoryFilesystem
from staplecfg.model.installation import Installation
from staplecfg.model.settings import Settings
from staplecfg.servers.nginx.dialect import DIALECT
from staplecfg.servers.nginx.scan import scan, walk

if TYPE_CHECKING:
    from collections.abc import Mapping

    from staplecfg.model.directive import Directive
    from staplecfg.model.site import Configuration

MAIN = "/etc/nginx/nginx.conf"


def installed(config: str = MAIN) -> Installation:
    return Installation(
        "nginx",
        PurePosixPath("/usr/sbin/nginx"),
        (1, 26, 2),
        "nginx/1.26.2",
        PurePosixPath(config),
        PurePosixPath("/usr/share/nginx"),
        {},
    )


def read(
    files: Mapping[str, str | bytes], links: Mapping[str, str] | None = None, *, force: bool = False
) -> Configuration:
    """Read the tree `files`; a name without a leading slash is below /etc/nginx."""
    data = {
        str(PurePosixPath("/etc/nginx") / name): text.encode() if isinstance(text, str) else text
        for name, text in files.items()
    }
    return DIALECT.configuration(
        MemoryFilesystem.of(data, links), installed(), Settings(force=force)
    )


def server_blocks(data: bytes) -> list[Directive]:
    found = walk(scan(data, PurePosixPath(MAIN)))
    return [each for each in found if each.name == "server" and each.block is not None]
