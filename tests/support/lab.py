"""Everything the main job needs, on loopback: a CA, a responder, an nginx, and the command line.

with Lab.make(tmp_path, sites=["shop.example"]) as lab:
    lab.nginx.start()
    done = lab.cli("apply", "--unscheduled")
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.support.nginx import Nginx
from tests.support.server_lab import ServerLab

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@dataclass
class Lab(ServerLab[Nginx]):
    """A laboratory with an nginx."""

    @classmethod
    def make(
        cls,
        root: Path,
        *,
        sites: Sequence[str] = ("shop.example",),
        delay: float = 0.0,
        workers: int = 2,
        lines: str = "",
        state: Path | None = None,
    ) -> Lab:
        """Build one; the responder answers, nginx is configured and not yet started.

        `lines` are of every site; `state` is a state directory to share with another laboratory.
        """
        lab = cls.around(root, Nginx(root / "nginx", workers=workers), sites, delay, lines)
        lab.shared_state = state
        return lab

    @property
    def nginx(self) -> Nginx:
        """Its server."""
        return self.server

    def where(self) -> Sequence[str]:
        """Return the arguments that say which server it is, and where."""
        return ["--server", "nginx", "--prefix", f"{self.nginx.prefix}/"]

    def listen(self) -> str:
        """Return where its sites are, as their blocks say it."""
        return f"127.0.0.1:{self.port} ssl"

    def files(self) -> dict[str, bytes]:
        """Return every file that nginx may read, links too, by relative path.

        Not those with a leading dot: no include of this laboratory's names them.
        """
        found: dict[str, bytes] = {}
        for top in (self.nginx.config, *sorted(self.nginx.prefix.glob("sites-*/*"))):
            if top.name.startswith("."):
                continue
            name = str(top.relative_to(self.nginx.prefix))
            found[name] = f"-> {top.readlink()}".encode() if top.is_symlink() else top.read_bytes()
        return found
