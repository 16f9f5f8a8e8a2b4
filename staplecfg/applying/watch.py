"""One server while it is being changed: its commands, its master, its handshakes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from staplecfg.machine import control
from staplecfg.model.chain import Chain
from staplecfg.model.errors import ServerRefused
from staplecfg.staples.probe import probe_all

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from staplecfg.model.facts import Facts
    from staplecfg.model.probe import Probe
    from staplecfg.model.site import Site
    from staplecfg.servers.interface import Server

RELOAD_SECONDS = 60.0
"""How long new workers may take to appear: large configurations take many seconds (nginx 1.22.1,
5,000 sites: 15 s)."""


@dataclass(frozen=True, slots=True)
class Watch:
    """What `carry_out` does to and asks of `server`, which `facts` were read from."""

    server: Server
    facts: Facts
    clock: Callable[[], datetime]

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

    def reload(self) -> None:
        """Make the server re-read its configuration, and wait until new workers have taken over.

        Raises `ServerRefused` where the command fails or the old workers stay.
        """
        if self.master is None:
            return
        before = control.generation(self.master)
        control.reload(self.server.commands.reload(self.facts.installation))
        outcome = control.wait_reloaded(self.master, before, timeout=RELOAD_SECONDS)
        if isinstance(outcome, control.NotReloaded):
            raise ServerRefused(
                f"{self.name} did not take up its configuration: {outcome.reason}",
                hint="its error log says why",
            )

    def probe(self) -> tuple[Probe, ...]:
        """Shake hands with every site, several at a time."""
        settings = self.facts.settings
        return probe_all(
            [(site, self._chain(site)) for site in self.facts.configuration.sites],
            now=self.clock(),
            floors=settings.floors,
            allow_sha1=settings.responders.allow_sha1_signature,
        )

    def _chain(self, site: Site) -> Chain | None:
        """Return the first of the site's certificates that could be read."""
        paths = (certificate.path for certificate in site.certificates)
        found = (self.facts.chains.get(path) for path in paths if path is not None)
        return next((chain for chain in found if isinstance(chain, Chain)), None)
