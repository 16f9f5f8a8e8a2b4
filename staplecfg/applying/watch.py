"""One server while it is being changed: its commands, its master, its handshakes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from staplecfg.checks.subjects import chains_of
from staplecfg.loading import certificates
from staplecfg.machine import control
from staplecfg.machine.starting import Place
from staplecfg.model.chain import Chain
from staplecfg.model.errors import ServerDied, ServerRefused, StalePlan
from staplecfg.model.source import Location
from staplecfg.staples.probe import each_kind, probe_all

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator, Sequence
    from datetime import datetime
    from pathlib import PurePosixPath

    from staplecfg.model.facts import Facts
    from staplecfg.model.probe import Probe
    from staplecfg.model.site import Configuration, Site
    from staplecfg.servers.interface import Server

LAZY_TRIES = 20
"""Handshakes after which a server that fetches by itself should have a staple, in any worker."""
ITS_LOG = "its error log says why"
RELOAD_SECONDS = 60.0
"""How long new workers may take to appear: large configurations take many seconds (nginx 1.22.1,
5,000 sites: 15 s)."""


@dataclass(frozen=True, slots=True)
class Watch:
    """What `carry_out` does to and asks of `server`, which `facts` were read from."""

    server: Server
    facts: Facts
    clock: Callable[[], datetime]
    patience: float = RELOAD_SECONDS

    @property
    def name(self) -> str:
        """The server's name, for people."""
        return self.server.name

    @property
    def master(self) -> int | None:
        """The process id of the running master as it was observed, or None."""
        return self.facts.running.master

    def test(self) -> None:
        """Let the server test its configuration; raises `ServerRefused` with its own words."""
        control.test(self.server.commands.test(self.facts.installation))

    def workers(self) -> frozenset[int]:
        """Return the worker processes that accept connections."""
        return frozenset() if self.master is None else control.generation(self.master)

    @property
    def place(self) -> Place:
        """Where the server is found while it runs."""
        commands, facts = self.server.commands, self.facts
        pid_file = commands.pid_file(facts.configuration, facts.installation)
        return Place(Path(pid_file), commands.bears(facts.installation))

    def require_alive(self) -> None:
        """Raise `ServerDied` where the master that was observed is gone, or another's by now.

        A server can accept a reload and end of it, and a reload of one that does
        not run may start another (Apache's does): this comes before each.
        """
        if self.master is None or self.place.master() == self.master:
            return
        who = f"master process (pid {self.master})"
        if control.alive(self.master):
            raise ServerDied(
                f"the pid file of {self.name} names its {who} no longer", hint="run this again"
            )
        raise ServerDied(f"{self.name} has ended: its {who} is gone", hint=ITS_LOG)

    def require_same_certificates(self) -> None:
        """Raise `StalePlan` where a certificate was replaced since the plan was made.

        A reload would load the new one, with the staple of the old one. One that is
        replaced after this look, and before the server's own, still is: `replaced`
        tells of it afterwards.
        """
        for path in self.replaced():
            raise StalePlan(
                "has been changed since the plan was made",
                at=Location(path),
                hint="run the command again",
            )

    def replaced(self) -> Iterator[PurePosixPath]:
        """Yield where a certificate is not any more what it was when the server was observed."""
        for path, known in self.facts.chains.items():
            found = certificates.read(self.facts.files, path, ())
            if isinstance(known, Chain) and (
                not isinstance(found, Chain) or found.fingerprint != known.fingerprint
            ):
                yield path

    def with_master(self, master: int) -> Watch:
        """Return this with `master` as the process that runs now."""
        running = replace(self.facts.running, master=master)
        return replace(self, facts=replace(self.facts, running=running))

    def read_again(self) -> Configuration | None:
        """Return the configuration as it stands now, for a server that bears not every change."""
        if self.server.outlives is None:
            return None
        facts = self.facts
        return self.server.dialect.configuration(facts.files, facts.installation, facts.settings)

    def reload(self) -> None:
        """Make the server re-read its configuration, and wait until new workers have taken over.

        One that runs out of sight (in another container) is asked, and its word taken.

        Raises `ServerRefused` where the command fails or the old workers stay,
        `ServerDied` where the server ends of it.
        """
        command = self.server.commands.reload(self.facts.installation)
        if self.master is None:
            control.reload(command)
            return
        self.require_alive()
        before = control.generation(self.master)
        control.reload(command)
        outcome = control.wait_reloaded(self.master, before, timeout=self.patience)
        if isinstance(outcome, control.Died):
            raise ServerDied(
                f"{self.name} ended of its new configuration: {outcome.reason}",
                hint=ITS_LOG,
            )
        if isinstance(outcome, control.NotReloaded):
            raise ServerRefused(
                f"{self.name} did not take up its configuration: {outcome.reason}",
                hint=ITS_LOG,
            )

    def probe(
        self, lazy: Container[Location] = (), *, only: Container[Location] | None = None
    ) -> tuple[Probe, ...]:
        """Shake hands with every site, or with those at `only`, several at a time.

        With each kind of certificate, for what is right for one may be wrong for another.
        With those that stand at a place in `lazy` several times, for the server
        fetches their staples only once it is asked: in each worker anew.
        """
        sites = [
            (site, chain)
            for site in self.facts.configuration.sites
            if only is None or site.location in only
            for chain in each_kind(chains_of(site, self.facts)) or (None,)
        ]
        patiently = [pair for pair in sites if pair[0].location in lazy]
        once = [pair for pair in sites if pair[0].location not in lazy]
        return (*self._probed(once, tries=1), *self._probed(patiently, tries=LAZY_TRIES))

    def _probed(
        self, sites: Sequence[tuple[Site, Chain | None]], *, tries: int
    ) -> tuple[Probe, ...]:
        settings = self.facts.settings
        return probe_all(
            sites,
            now=self.clock(),
            floors=settings.floors,
            tries=tries,
            allow_sha1=settings.responders.allow_sha1_signature,
        )
