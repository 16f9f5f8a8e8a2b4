"""As `Lab`, with Apache: a CA, a responder, an Apache, and the command line, all on loopback.

with ApacheLab.make(tmp_path, sites=["shop.example"]) as lab:
    lab.apache.start()
    done = lab.cli("apply", "--unscheduled")

`stock=True` is Debian's own tree. The responder is the real `openssl ocsp`,
slow by `lab.responder.delay`, gone by `lab.responder.down()`; certificates of
`lab.add(name, responders=[url])` ask another, one of `tests.support.responder`.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.support.apache import Apache
from tests.support.authority import Authority, Issued, pem
from tests.support.lab import Ended, run
from tests.support.nginx import CHECKOUT, free_port
from tests.support.openssl_responder import OpensslResponder

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    from tests.support.authority import KeyKind


@dataclass
class ApacheLab:
    """A throw-away CA with its responder, an Apache, and how to call staplecfg on them.

    `serve` is the port that its local responder is told to listen at.
    """

    root: Path
    authority: Authority
    responder: OpensslResponder
    apache: Apache
    port: int
    serve: int
    issued: dict[str, Issued] = field(default_factory=dict)

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
        authority = Authority.create()
        (root / "pki").mkdir(parents=True, exist_ok=True)
        responder = OpensslResponder(authority, root / "responder", delay=delay)
        made = Apache.stock if stock else Apache
        apache = made(root / "apache", **server)
        lab = cls(root, authority, responder, apache, free_port(), free_port())
        (root / "pki" / "root.pem").write_bytes(pem(authority.root.cert))
        for name in sites:
            lab.add(name, lines=lines)
        responder.start(lab.issued.values())
        return lab

    def add(
        self, name: str, *, lines: str = "", keys: Sequence[KeyKind] = ("ec",), **certificate: Any
    ) -> Path:
        """Add the site `name` with a certificate for each of `keys`; returns its file."""
        pairs = []
        for kind in keys:
            known = name if kind == keys[0] else f"{name}-{kind}"
            given = {"responders": [self.responder.url], "key": kind, **certificate}
            self.issued[known] = self.authority.leaf([name], **given)
            pairs.append(self.issued[known].write(self.root / "pki", known))
        return self.apache.site(
            name, listen=f"127.0.0.1:{self.port}", certificates=pairs, lines=lines
        )

    def renew(self, name: str) -> Issued:
        """Put a new certificate for `name` in the place of its old one; the responder knows it."""
        issued = self.authority.leaf([name], responders=[self.responder.url])
        self.issued[name] = issued
        issued.write(self.root / "pki", name)
        self.responder.start([*self.issued.values()])
        return issued

    @property
    def server(self) -> Apache:
        """Its Apache."""
        return self.apache

    @property
    def state(self) -> Path:
        """The state directory."""
        return self.root / "state"

    def arguments(self, command: str, *more: str) -> list[str]:
        """Return the arguments that make `command` work on this laboratory."""
        return [
            command,
            "--server",
            "apache",
            "--binary",
            str(self.apache.binary),
            "--prefix",
            str(self.apache.prefix),
            "--config",
            str(self.apache.config),
            "--state-dir",
            str(self.state),
            "--trust",
            str(self.root / "pki" / "root.pem"),
            "--allow-network",
            "127.0.0.0/8",
            "--listen",
            f"127.0.0.1:{self.serve}",
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

    def __enter__(self) -> ApacheLab:  # noqa: PYI034 - typing.Self is of Python 3.11
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.apache.stop()
        self.responder.__exit__(kind, error, trace)
