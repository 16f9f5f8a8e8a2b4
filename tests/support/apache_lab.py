"""As `Lab`, with Apache: a CA, a responder, an Apache, and the command line, all on loopback.

with ApacheLab.make(tmp_path, sites=["shop.example"]) as lab:
    lab.apache.start()
    done = lab.cli("apply", "--unscheduled")

`stock=True` is Debian's own tree.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.support.apache import Apache
from tests.support.server_lab import ServerLab

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@dataclass
class ApacheLab(ServerLab[Apache]):
    """A laboratory with an Apache."""

    @classmethod
    def make(
        cls,
        root: Path,
        *,
        sites: Sequence[str] = ("shop.example",),
        delay: float = 0.0,
        lines: str = "",
        stock: bool = False,
        **server: Any,
    ) -> ApacheLab:
        """Build one; the responder answers, Apache is configured and not yet started.

        `lines` are of every site, `server` what `Apache` takes besides.
        """
        made = Apache.stock if stock else Apache
        return cls.around(root, made(root / "apache", **server), sites, delay, lines)

    @property
    def apache(self) -> Apache:
        """Its server."""
        return self.server

    def where(self) -> Sequence[str]:
        """Return the arguments that say which server it is, and where."""
        listen = f"127.0.0.1:{self.serve}"
        return ["--server", "apache", "--prefix", str(self.apache.prefix), "--listen", listen]

    def listen(self) -> str:
        """Return where its sites are, as their blocks say it."""
        return f"127.0.0.1:{self.port}"

    def files(self) -> dict[str, bytes]:
        """Return every file and link that Apache may read, by relative path."""
        found: dict[str, bytes] = {}
        for path in sorted(self.apache.prefix.rglob("*")):
            name = path.relative_to(self.apache.prefix)
            if name.parts[0] in {"run", "lock", "log", "htdocs"}:
                continue
            if path.is_symlink():
                found[str(name)] = f"-> {path.readlink()}".encode()
            elif path.is_file():
                found[str(name)] = path.read_bytes()
        return found
