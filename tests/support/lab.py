"""Everything the main job needs, on loopback: a CA, a responder, an nginx, and the command line.

with Lab.make(tmp_path, sites=["shop.example"]) as lab:
    lab.nginx.start()
    done = lab.cli("apply", "--unscheduled")
"""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from staplecfg.cli.main import main
from tests.support.authority import Authority, Issued, pem
from tests.support.nginx import CHECKOUT, Nginx, free_port
from tests.support.openssl_responder import OpensslResponder

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from types import TracebackType


@dataclass(frozen=True)
class Ended:
    """How a run of the command line ended."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """The JSON document on standard output."""
        read: dict[str, Any] = json.loads(self.out)
        return read

    def __str__(self) -> str:
        return f"status {self.status}\n--- out\n{self.out}\n--- err\n{self.err}"


@dataclass
class Lab:
    """A throw-away CA with its responder, an nginx, and how to call staplecfg on them."""

    root: Path
    authority: Authority
    responder: OpensslResponder
    nginx: Nginx
    port: int
    issued: dict[str, Issued] = field(default_factory=dict)
    shared_state: Path | None = None

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

        `state` is a state directory to share with another laboratory.
        """
        authority = Authority.create()
        (root / "pki").mkdir(parents=True, exist_ok=True)
        responder = OpensslResponder(authority, root / "responder", delay=delay)
        lab = cls(root, authority, responder, Nginx(root / "nginx", workers=workers), free_port())
        lab.shared_state = state
        (root / "pki" / "root.pem").write_bytes(pem(authority.root.cert))
        for name in sites:
            lab.add(name, lines=lines)
        responder.start(lab.issued.values())
        return lab

    def add(self, name: str, *, lines: str = "", **certificate: Any) -> Path:
        """Add the site `name` with a certificate of its own; returns its file."""
        issued = self.authority.leaf([name], **{"responders": [self.responder.url], **certificate})
        self.issued[name] = issued
        chain, key = issued.write(self.root / "pki", name)
        return self.nginx.site(
            name, listen=f"127.0.0.1:{self.port} ssl", certificates=[(chain, key)], lines=lines
        )

    def renew(self, name: str) -> Issued:
        """Put a new certificate for `name` in the place of its old one; the responder knows it."""
        issued = self.authority.leaf([name], responders=[self.responder.url])
        self.issued[name] = issued
        issued.write(self.root / "pki", name)
        self.responder.start([*self.issued.values()])
        return issued

    @property
    def server(self) -> Nginx:
        """Its nginx."""
        return self.nginx

    @property
    def state(self) -> Path:
        """The state directory."""
        return self.shared_state or self.root / "state"

    def arguments(self, command: str, *more: str) -> list[str]:
        """Return the arguments that make `command` work on this laboratory."""
        return [
            command,
            "--server",
            "nginx",
            "--binary",
            str(self.nginx.binary),
            "--prefix",
            f"{self.nginx.prefix}/",
            "--config",
            str(self.nginx.config),
            "--state-dir",
            str(self.state),
            "--trust",
            str(self.root / "pki" / "root.pem"),
            "--allow-network",
            "127.0.0.0/8",
            *more,
        ]

    def cli(self, command: str, *more: str) -> Ended:
        """Run `command` in this process, as a user would in theirs."""
        return run(self.arguments(command, *more))

    def apply(self, *more: str) -> Ended:
        """Run `apply --unscheduled`."""
        return self.cli("apply", "--unscheduled", *more)

    def process(self, command: str, *more: str, env: Mapping[str, str] | None = None) -> Ended:
        """Run `command` in a process of its own."""
        argv = [sys.executable, "-m", "staplecfg", *self.arguments(command, *more)]
        done = subprocess.run(
            argv, cwd=CHECKOUT, capture_output=True, text=True, check=False, timeout=120, env=env
        )
        return Ended(done.returncode, done.stdout, done.stderr)

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

    def __enter__(self) -> Lab:  # noqa: PYI034 - typing.Self is of Python 3.11
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.nginx.stop()
        self.responder.__exit__(kind, error, trace)


def run(arguments: Sequence[str]) -> Ended:
    """Run the command line `arguments` in this process and return how it ended."""
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="surrogateescape", newline="")
    err = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status = main(list(arguments))
        except SystemExit as ended:
            status = int(ended.code or 0)
    out.flush()
    out.seek(0)
    said = out.buffer.read()
    return Ended(status, said.decode("utf-8", "surrogateescape"), err.getvalue())
