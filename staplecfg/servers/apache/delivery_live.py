"""Apache `live`: mod_ssl asks the certificates' own responders, as its manual has it.

For whoever insists. mod_ssl asks within a handshake, throws a good response away
before it has another (2.4.71), and forgets everything at a graceful restart.
What is written is what is safe with a responder that is far away: a time after
which a handshake goes on. Errors are left to be remembered: with
`SSLStaplingReturnResponderErrors off` or `SSLStaplingFakeTryLater off` every
handshake would ask a responder that is down again, one after the other, for the
lock is one for all certificates. So an outage becomes a stapled `tryLater`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from staplecfg.servers import site_key
from staplecfg.servers.apache import fit, ours
from staplecfg.servers.apache.delivery_responder import DIRECTIVE, cache
from staplecfg.servers.apache.fit import Misfit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import PurePosixPath

    from staplecfg.model.chain import Chain
    from staplecfg.model.facts import Facts
    from staplecfg.model.filesystem import Filesystem
    from staplecfg.model.finding import Finding
    from staplecfg.model.settings import Settings
    from staplecfg.model.site import Configuration, Site
    from staplecfg.servers.interface import Delivery, Serving, Shared, StateFile, Words


@dataclass(frozen=True, slots=True)
class LiveDelivery:
    """See `servers.interface.Delivery`."""

    name: str = "live"
    live: bool = True
    from_store: bool = False
    asks_us: bool = False
    lazy: bool = True
    one_response: bool = False
    needs_schedule: bool = False
    writes: PurePosixPath | None = None
    switch: Words | None = (ours.SWITCH, "on")

    def bound(self, settings: Settings, configuration: Configuration) -> Delivery:
        """See `Delivery.bound`."""
        del settings, configuration
        return self

    def misfit(self, site: Site, chains: Sequence[Chain], facts: Facts) -> Finding | None:
        """See `Delivery.misfit`."""
        questions: tuple[fit.Question, ...] = (
            *fit.NEVER,
            *fit.CONFLICTS,
            fit.by_mod_md,
            partial(_by_http, chains),
        )
        return fit.first(site, facts, questions)

    def recorded(self, words: Sequence[Words]) -> bool:
        """See `Delivery.recorded`: with a responder of ours, at whatever port, it is another."""
        return self.switch in words and not any(name == DIRECTIVE for name, *_ in words)

    def key(self, site: Site) -> str:
        """See `Delivery.key`."""
        return site_key.of(site)

    def variables(self, site: Site, state_dir: PurePosixPath) -> Mapping[str, object]:
        """See `Delivery.variables`."""
        del site, state_dir
        return {}

    def trusts(self, site: Site, facts: Facts) -> PurePosixPath | None:
        """See `Delivery.trusts`: mod_ssl verifies no response."""
        del site, facts
        return None

    def state(self, key: str, serving: Serving, state_dir: PurePosixPath) -> tuple[StateFile, ...]:
        """See `Delivery.state`: mod_ssl keeps its own."""
        del key, serving, state_dir
        return ()

    def shared(self, sites: Sequence[Site], facts: Facts) -> Shared | Finding:
        """See `Delivery.shared`."""
        return cache(sites, facts)

    def owned(self, words: Words, state_dir: PurePosixPath) -> str | None:
        """See `Delivery.owned`: none of its lines could not be anybody's."""
        del words, state_dir
        return None

    def litter(
        self, files: Filesystem, state_dir: PurePosixPath, keep: Iterable[PurePosixPath]
    ) -> tuple[PurePosixPath, ...]:
        """See `Delivery.litter`."""
        del files, state_dir, keep
        return ()


def _by_http(chains: Sequence[Chain], site: Site, facts: Facts) -> Misfit | None:
    forced = site.setting(DIRECTIVE)
    if forced is not None and forced.args and not ours.put_in(forced, facts):
        if forced.args[0].lower().startswith("http://"):
            return None
        at, asked = forced.location, forced.args[0]
    else:
        urls = [chain.responders[0] for chain in chains if chain.responders]
        bad = [url for url in urls if not url.lower().startswith("http://")]
        if not bad:
            return None
        at, asked = site.location, bad[0]
    return Misfit(
        at,
        f"mod_ssl asks by http only, and ends every handshake that wants a staple over {asked}",
        "let staplecfg ask: `--delivery responder`",
    )


DELIVERY = LiveDelivery()
