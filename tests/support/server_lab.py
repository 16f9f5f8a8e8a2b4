"""What a laboratory has on loopback, whichever its server: a CA, a responder, a command line."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from tests.support.authority import Authority, Issued, pem
from tests.support.command_line import Ended, run
from tests.support.nginx import CHECKOUT, free_port
from tests.support.openssl_responder import OpensslResponder

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    from tests.support.authority import KeyKind


class Server(Protocol):
    """What every laboratory's server can be told."""

    @property
    def binary(self) -> Path: ...
    @property
    def config(self) -> Path: ...
    def start(self) -> None: ...
    def stop(self) -> None: ...
    def restart(self) -> None: ...
    def reload(self) -> None: ...
    def site(
        self,
        name: str,
        *,
        listen: str,
        certificates: Sequence[tuple[Path, Path]],
        lines: str,
    ) -> Path: ...


S = TypeVar("S", bound=Server)
Own = TypeVar("Own", bound="ServerLab[Any]")


@dataclass
class ServerLab(Generic[S]):
    """A throw-away CA with its responder, a `server`, and how to call staplecfg on them.

    The responder is the real `openssl ocsp`, slow by `responder.delay`, gone by
    `responder.down()`; certificates of `add(name, responders=[url])` ask another,
    one of `tests.support.responder`. Sites are at `port`; `serve` is where the local
    responder is told to listen.
    """

    root: Path
    server: S
    responder: OpensslResponder
    authority: Authority
    port: int = field(default_factory=free_port)
    serve: int = field(default_factory=free_port)
    issued: dict[str, Issued] = field(default_factory=dict)
    shared_state: Path | None = None

    @classmethod
    def around(  # noqa: PYI019 - typing.Self is of Python 3.11
        cls: type[Own], root: Path, server: Server, sites: Sequence[str], delay: float, lines: str
    ) -> Own:
        """Build one around `server`, which is not yet started; the responder answers.

        `lines` are of every site.
        """
        authority = Authority.create()
        (root / "pki").mkdir(parents=True, exist_ok=True)
        (root / "pki" / "root.pem").write_bytes(pem(authority.root.cert))
        responder = OpensslResponder(authority, root / "responder", delay=delay)
        lab = cls(root, server, responder, authority)
        for name in sites:
            lab.add(name, lines=lines)
        responder.start(lab.issued.values())
        return lab

    def where(self) -> Sequence[str]:
        """Return the arguments that say which server it is, and where."""
        raise NotImplementedError

    def listen(self) -> str:
        """Return where its sites are, as their blocks say it."""
        raise NotImplementedError

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
        return self.server.site(name, listen=self.listen(), certificates=pairs, lines=lines)

    def renew(self, name: str) -> Issued:
        """Put a new certificate for `name` in the place of its old one; the responder knows it."""
        issued = self.authority.leaf([name], responders=[self.responder.url])
        self.issued[name] = issued
        issued.write(self.root / "pki", name)
        self.responder.start([*self.issued.values()])
        return issued

    @property
    def state(self) -> Path:
        """The state directory."""
        return self.shared_state or self.root / "state"

    def arguments(self, command: str, *more: str) -> list[str]:
        """Return the arguments that make `command` work on this laboratory."""
        return [
            command,
            *self.where(),
            "--binary",
            str(self.server.binary),
            "--config",
            str(self.server.config),
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

    def __enter__(self: Own) -> Own:  # noqa: PYI019 - typing.Self is of Python 3.11
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.server.stop()
        self.responder.__exit__(kind, error, trace)
