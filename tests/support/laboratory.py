"""nginx with plain `ssl_stapling on`, as people run it; a slow responder; and staplecfg itself.

with laboratory(tmp_path) as lab:
    assert lab.through_reload().unstapled > 0
    lab.do("apply", "--unscheduled")
    assert lab.through_reload().flawless
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.support.authority import Authority, Issued, pem
from tests.support.count import Counted, Crowd, Visitor, count, visitors
from tests.support.nginx import CHECKOUT, Nginx, free_port
from tests.support.openssl_responder import OpensslResponder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

NAMES = ("shop.example", "blog.example", "mail.example")
HANDSHAKES = 240
"""In each phase: 40 of every kind of visitor, with three sites."""


@dataclass
class Laboratory:
    """Three sites, who visits them, and the command that looks after them."""

    directory: Path
    nginx: Nginx
    responder: OpensslResponder
    authority: Authority
    crowd: list[Visitor]
    issued: list[Issued] = field(default_factory=list)

    def issue(self, name: str) -> tuple[Path, Path]:
        """Put a new certificate and key for `name` in place, and tell the responder of it."""
        leaf = self.authority.leaf([name], responders=[self.responder.url])
        self.issued.append(leaf)
        self.responder.start(self.issued)
        live = self.directory / "live" / name
        live.mkdir(parents=True, exist_ok=True)
        return leaf.write(live, "fullchain")

    def staplecfg(self, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `staplecfg` on this laboratory, as a process of its own."""
        flags = {
            "--server": "nginx",
            "--binary": self.nginx.binary,
            "--prefix": self.nginx.prefix,
            "--config": self.nginx.config,
            "--state-dir": self.directory / "state",
            "--trust": self.directory / "root.pem",
            "--allow-network": "127.0.0.0/8",
        }
        words = [str(word) for pair in flags.items() for word in pair]
        return subprocess.run(
            [sys.executable, "-m", "staplecfg", command, *arguments, *words],
            cwd=CHECKOUT,
            env={**os.environ, "NO_COLOR": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=120,
        )

    def do(self, command: str, *arguments: str) -> str:
        """Run `staplecfg`, which must end in 0, and return what it said."""
        done = self.staplecfg(command, *arguments)
        assert done.returncode == 0, f"{command} ended in {done.returncode}\n{done.stdout}"
        return done.stdout

    def count(self) -> Counted:
        """Count visitors as things are."""
        return count(self.crowd, HANDSHAKES)

    def from_start(self) -> Counted:
        """Count visitors from the moment nginx has started anew."""
        self.nginx.restart()
        return self.count()

    def through_reload(self) -> Counted:
        """Count visitors who come without a pause while nginx reloads, and after."""
        with Crowd(self.crowd, least=HANDSHAKES) as crowd:
            self.nginx.reload()
        return crowd.counted

    def after_reload(self) -> Counted:
        """Count visitors once the last of the old workers has gone."""
        self.nginx.reload()
        return self.count()

    def from_start_in_outage(self) -> Counted:
        """Count visitors after nginx was started anew while the responder was down."""
        self.responder.down()
        try:
            return self.from_start()
        finally:
            self.responder.up()

    def configuration(self) -> dict[str, bytes]:
        """Return every file of nginx's configuration, and where every link points."""
        paths = [self.nginx.config, *self.nginx.prefix.glob("sites-*/*")]
        return {str(path.relative_to(self.nginx.prefix)): _content(path) for path in sorted(paths)}


@contextlib.contextmanager
def laboratory(
    directory: Path,
    *,
    names: Sequence[str] = NAMES,
    workers: int = 4,
    delay: float = 0.2,
    lines: str = "# as most how-tos have it\nssl_stapling on;",
) -> Iterator[Laboratory]:
    """Build one under `directory`, nginx not yet started; servers are stopped on leaving.

    The responder is `delay` seconds slow; `lines` go into each site's block.
    """
    authority = Authority.create("Throw-away")
    (directory / "root.pem").write_bytes(pem(authority.root.cert))
    port = free_port()
    with (
        OpensslResponder(authority, directory / "responder", delay=delay) as responder,
        Nginx(directory / "nginx", workers=workers) as nginx,
    ):
        built = Laboratory(directory, nginx, responder, authority, visitors(port, names))
        for name in names:
            listen, certificates = f"127.0.0.1:{port} ssl", [built.issue(name)]
            nginx.site(name, listen=listen, certificates=certificates, lines=lines)
        yield built


def _content(path: Path) -> bytes:
    return os.fsencode(path.readlink()) if path.is_symlink() else path.read_bytes()
