"""Three servers on one machine: by file with one and with four workers, and by local responder."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.support.authority import Authority, pem
from tests.support.count import of_both_keys, visitors
from tests.support.nginx import CHECKOUT, Nginx, free_port
from tests.support.weeks.programme import Stage, Way
from tests.support.weeks.responder import Age, Oracle
from tests.support.weeks.runner import Finished, started

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tests.support.authority import Issued, KeyKind
    from tests.support.count import Visitor

SITES: dict[str, tuple[KeyKind, ...]] = {"shop.example": ("ec",), "both.example": ("rsa", "ec")}
"""Each site with the keys of its certificates."""

BY_FILE = (Way.AHEAD, Way.WARM)
BY_RESPONDER = (Way.FOREIGN,)
"""What the local responder is for: whoever reloads, it is never wrong."""

SHORT = Age()
LONG = Age(old=450, life=1000)
"""For nginx's own fetching, which forgets a staple's end for five minutes (nginx 1.22.1)."""

SETTINGS = """\
[schedule]
kind = "none"
interval = 4
dead_man_interval = 1
run = 4

[floors]
least_life_left = 0
least_between_tries = 1
first_backoff = 1
most_backoff = 2

[responders]
allow_networks = ["127.0.0.0/8"]
total = 1
per_certificate = 2
"""


@dataclass
class Server:
    """One nginx with its sites, and how its staples reach it."""

    name: str
    nginx: Nginx
    sites: tuple[str, ...]
    delivery: str
    port: int = field(default_factory=free_port)

    @property
    def stage(self) -> Stage:
        """What can happen to it."""
        ways = BY_FILE if self.delivery == "file" else BY_RESPONDER
        return Stage(self.name, self.sites, ways)

    @property
    def crowd(self) -> list[Visitor]:
        """Visitors of every kind that there is."""
        kinds = {name: visitors(self.port, [name]) for name in self.sites}
        return [
            visitor
            for name, found in kinds.items()
            for visitor in (of_both_keys(found) if len(SITES[name]) > 1 else found)
        ]


@dataclass
class World:
    """An authority, its responder, the servers, and one state directory for them all."""

    root: Path
    authority: Authority
    oracle: Oracle
    servers: dict[str, Server]
    blocks: dict[int, frozenset[int]] = field(default_factory=dict)
    """Every certificate's serial, with those of all that one response must be about."""

    deployed: dict[int, float] = field(default_factory=dict)
    """When each certificate took the place of another, by its serial, in seconds since 1970."""

    in_vain: dict[int, float] = field(default_factory=dict)
    """When each certificate whose staple was not to be had ahead was asked about."""

    def asked_in_vain(self, issued: Sequence[Issued], at: float) -> None:
        """Note that from `at` on a staple was wanted of each of `issued`, and not to be had."""
        self.in_vain |= {each.cert.serial_number: at for each in issued}

    def issue(self, server: Server, site: str) -> list[Issued]:
        """Have certificates issued for `site` of `server`, not deployed; the responder knows."""
        issued = [
            self.authority.leaf([site], responders=[self.oracle.url], key=key)
            for key in SITES[site]
        ]
        serials = [each.cert.serial_number for each in issued]
        if server.delivery == "file":
            self.blocks |= dict.fromkeys(serials, frozenset(serials))
        else:
            self.blocks |= {serial: frozenset([serial]) for serial in serials}
        self.oracle.tell(issued, SHORT if server.delivery == "file" else LONG)
        return issued

    def write(self, issued: Sequence[Issued], directory: Path, site: str) -> list[Path]:
        """Write the chains of `issued`, and their keys, below `directory`; returns the chains."""
        directory.mkdir(parents=True, exist_ok=True)
        return [each.write(directory, f"{site}-{n}")[0] for n, each in enumerate(issued)]

    def deploy(self, server: Server, site: str, issued: Sequence[Issued]) -> None:
        """Put `issued` in the place of what `site` has, by renaming: as ACME clients do."""
        now = time.time()
        self.deployed |= {each.cert.serial_number: now for each in issued}
        for chain in self.write(issued, self.root / "fresh" / server.name, site):
            for path in (chain.with_suffix(".key"), chain):
                path.replace(self.directory(server) / path.name)

    def directory(self, server: Server) -> Path:
        """Return where the certificates of `server` are."""
        return self.root / "pki" / server.name

    def process(self, command: str, *more: str) -> Finished:
        """Run `command` on all servers in a process of its own, as the schedule does."""
        return started([command, "--state-dir", str(self.root / "state"), *more])

    def apply(self, server: Server, endpoint: str) -> None:
        """Have the sites of `server` stapled."""
        named = ["--server", "nginx", "--binary", str(server.nginx.binary)]
        named += ["--prefix", f"{server.nginx.prefix}/", "--config", str(server.nginx.config)]
        named += ["--settings", str(self.root / "staplecfg.toml")]
        named += ["--trust", str(self.root / "root.pem")]
        named += ["--delivery", server.delivery, "--listen", endpoint]
        done = self.process("apply", "--unscheduled", *named).ended
        assert done.status == 0, f"{server.name}: {done}"


@contextlib.contextmanager
def world(root: Path) -> Iterator[World]:
    """Build it under `root`, with all running and every site stapled."""
    authority = Authority.create()
    (root / "state").mkdir(parents=True)
    (root / "root.pem").write_bytes(pem(authority.root.cert))
    (root / "staplecfg.toml").write_text(SETTINGS)
    servers = [
        Server("one", Nginx(root / "one", workers=1), tuple(SITES), "file"),
        Server("four", Nginx(root / "four", workers=4), tuple(SITES), "file"),
        Server("asking", Nginx(root / "asking", workers=4), ("both.example",), "responder"),
    ]
    with contextlib.ExitStack() as stack:
        oracle = stack.enter_context(Oracle(authority))
        made = World(root, authority, oracle, {each.name: each for each in servers})
        endpoint = f"127.0.0.1:{free_port()}"
        stack.enter_context(_serving(made, endpoint))
        for server in servers:
            for site in server.sites:
                chains = made.write(made.issue(server, site), made.directory(server), site)
                server.nginx.site(
                    site,
                    listen=f"127.0.0.1:{server.port} ssl",
                    certificates=[(chain, chain.with_suffix(".key")) for chain in chains],
                )
            stack.enter_context(server.nginx).start()
            made.apply(server, endpoint)
        yield made


@contextlib.contextmanager
def _serving(made: World, endpoint: str) -> Iterator[None]:
    argv = [sys.executable, "-m", "staplecfg", "serve", "--listen", endpoint]
    argv += ["--state-dir", str(made.root / "state")]
    with (made.root / "serve.log").open("wb") as log:
        run = subprocess.Popen(argv, cwd=CHECKOUT, stdout=log, stderr=subprocess.STDOUT)
    try:
        yield
        assert run.poll() is None, f"serve has ended: {(made.root / 'serve.log').read_text()}"
    finally:
        run.kill()
        run.wait()
