"""nginx `live`: nginx asks the certificates' own responders, as its manual has it.

For whoever insists. The first handshakes of each worker go without, one failed
fetch means five minutes without, and nothing survives a reload.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from staplecfg.servers import site_key
from staplecfg.servers.interface import Shared
from staplecfg.servers.nginx import lazy_fit
from staplecfg.servers.nginx.places import directory
from staplecfg.servers.nginx.stapling import absolute

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from staplecfg.model.chain import Chain
    from staplecfg.model.facts import Facts
    from staplecfg.model.filesystem import Filesystem
    from staplecfg.model.finding import Finding
    from staplecfg.model.settings import Settings
    from staplecfg.model.site import Configuration, Site
    from staplecfg.servers.interface import Delivery, Serving, StateFile, Words

DIRECTIVE = "ssl_trusted_certificate"
TRUSTED = PurePosixPath("/etc/staplecfg/trusted")
SUFFIX = ".pem"


@dataclass(frozen=True, slots=True)
class LiveDelivery:
    """See `servers.interface.Delivery`; `resolver` are its words, from the settings."""

    resolver: tuple[str, ...] = ()
    name: str = "live"
    live: bool = True
    from_store: bool = False
    asks_us: bool = False
    lazy: bool = True
    one_response: bool = False
    needs_schedule: bool = False
    writes: PurePosixPath | None = None
    switch: Words | None = None

    def bound(self, settings: Settings, configuration: Configuration) -> Delivery:
        """See `Delivery.bound`."""
        del configuration
        return LiveDelivery(settings.nginx.resolver)

    def misfit(self, site: Site, chains: Sequence[Chain], facts: Facts) -> Finding | None:
        """See `Delivery.misfit`."""
        return lazy_fit.misfit_live(site, chains, facts, directory(facts.settings.state_dir))

    def recorded(self, words: Sequence[Words]) -> bool:
        """See `Delivery.recorded`."""
        del words
        return False

    def key(self, site: Site) -> str:
        """See `Delivery.key`."""
        return site_key.of(site)

    def variables(self, site: Site, state_dir: PurePosixPath) -> Mapping[str, object]:
        """See `Delivery.variables`."""
        del site, state_dir  # the resolver is the same for every site
        return {"resolver": self.resolver}

    def trusts(self, site: Site, facts: Facts) -> PurePosixPath | None:
        """See `Delivery.trusts`.

        Never where client certificates are verified, in whatever way: nginx
        believes every authority in that file for clients too. Nor where the
        administrator has named a file.
        """
        if site.value("ssl_verify_client", "off").lower() != "off":
            return None
        named = site.setting(DIRECTIVE)
        if named is not None and site.value(DIRECTIVE):
            path = absolute(named.args[0], facts.configuration)
            if path.parent != TRUSTED:
                return None
        return TRUSTED / f"{self.key(site)}{SUFFIX}"

    def state(self, key: str, serving: Serving, state_dir: PurePosixPath) -> tuple[StateFile, ...]:
        """See `Delivery.state`: nginx keeps its own."""
        del key, serving, state_dir
        return ()

    def shared(self, sites: Sequence[Site], facts: Facts) -> Shared:
        """See `Delivery.shared`."""
        del sites, facts
        return Shared()

    def owned(self, words: Words, state_dir: PurePosixPath) -> str | None:
        """See `Delivery.owned`."""
        del state_dir
        if len(words) != 2 or words[0] != DIRECTIVE:  # noqa: PLR2004 - the name and one argument
            return None
        path = PurePosixPath(words[1])
        return path.stem if path.parent == TRUSTED and path.suffix == SUFFIX else None

    def litter(
        self, files: Filesystem, state_dir: PurePosixPath, keep: Iterable[PurePosixPath]
    ) -> tuple[PurePosixPath, ...]:
        """See `Delivery.litter`."""
        del state_dir
        kept = frozenset(keep)
        found = (TRUSTED / name for name in files.listing(TRUSTED))
        return tuple(each for each in found if each.suffix == SUFFIX and each not in kept)


DELIVERY = LiveDelivery()
