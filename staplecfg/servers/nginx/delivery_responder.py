"""nginx `responder`: nginx asks the local responder (`staplecfg serve`), which has judged answers.

Never wrong, for nginx asks about each certificate by itself, and a changed
staple needs no reload. But nginx asks only when a client has: the first
handshake of each worker and certificate goes without.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from staplecfg.model.settings import Serve
from staplecfg.servers import local_responder, site_key
from staplecfg.servers.interface import Shared
from staplecfg.servers.nginx import lazy_fit
from staplecfg.servers.nginx.places import directory

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import PurePosixPath

    from staplecfg.model.chain import Chain
    from staplecfg.model.facts import Facts
    from staplecfg.model.filesystem import Filesystem
    from staplecfg.model.finding import Finding
    from staplecfg.model.settings import Endpoint, Settings
    from staplecfg.model.site import Configuration, Site
    from staplecfg.servers.interface import Delivery, Serving, StateFile, Words

DIRECTIVE = "ssl_stapling_responder"


@dataclass(frozen=True, slots=True)
class ResponderDelivery:
    """See `servers.interface.Delivery`; `listen` is where the local responder is."""

    listen: Endpoint
    name: str = "responder"
    live: bool = True
    from_store: bool = True
    asks_us: bool = True
    lazy: bool = True
    one_response: bool = False
    needs_schedule: bool = False
    writes: PurePosixPath | None = None
    switch: Words | None = None

    @property
    def url(self) -> str:
        """What nginx is told to ask."""
        return local_responder.url(self.listen)

    def bound(self, settings: Settings, configuration: Configuration) -> Delivery:
        """See `Delivery.bound`."""
        del configuration
        return of(settings)

    def misfit(self, site: Site, chains: Sequence[Chain], facts: Facts) -> Finding | None:
        """See `Delivery.misfit`."""
        del chains  # every certificate counts, also those that could not be read
        return lazy_fit.misfit(site, facts, directory(facts.settings.state_dir), self.url)

    def recorded(self, words: Sequence[Words]) -> bool:
        """See `Delivery.recorded`."""
        del words
        return False

    def key(self, site: Site) -> str:
        """See `Delivery.key`."""
        return site_key.of(site)

    def variables(self, site: Site, state_dir: PurePosixPath) -> Mapping[str, object]:
        """See `Delivery.variables`."""
        del site, state_dir  # the same for every site
        return {"responder": self.url}

    def trusts(self, site: Site, facts: Facts) -> PurePosixPath | None:
        """See `Delivery.trusts`."""
        del site, facts
        return None

    def state(self, key: str, serving: Serving, state_dir: PurePosixPath) -> tuple[StateFile, ...]:
        """See `Delivery.state`: the responder reads the store itself."""
        del key, serving, state_dir
        return ()

    def shared(self, sites: Sequence[Site], facts: Facts) -> Shared:
        """See `Delivery.shared`."""
        del sites, facts
        return Shared()

    def owned(self, words: Words, state_dir: PurePosixPath) -> str | None:
        """See `Delivery.owned`."""
        del state_dir
        # The name first: this is asked of every line of every site.
        return "" if words[:1] == (DIRECTIVE,) and words[1:] == (self.url,) else None

    def litter(
        self, files: Filesystem, state_dir: PurePosixPath, keep: Iterable[PurePosixPath]
    ) -> tuple[PurePosixPath, ...]:
        """See `Delivery.litter`."""
        del files, state_dir, keep
        return ()


def of(settings: Settings) -> ResponderDelivery:
    """Return the delivery through the local responder that `settings` name."""
    return ResponderDelivery(settings.serve.listen)


DELIVERY = ResponderDelivery(Serve().listen)
