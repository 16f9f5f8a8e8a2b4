"""Apache `responder`: mod_ssl asks the local responder, `staplecfg serve`, for judged answers.

mod_ssl asks within the first handshake that wants a staple, and that handshake
gets it: where the answer comes in milliseconds, nobody goes without. What makes
that safe is in the template: whatever the responder does not have is not stapled.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from staplecfg.model.finding import Finding, Severity
from staplecfg.model.settings import Serve
from staplecfg.servers import local_responder, site_key
from staplecfg.servers.apache import fit, ours
from staplecfg.servers.apache.cache import size_for
from staplecfg.servers.apache.fit import Misfit
from staplecfg.servers.apache.layout import layout
from staplecfg.servers.apache.placing import RELIED_ON, placed, unread
from staplecfg.servers.interface import Shared

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import PurePosixPath

    from staplecfg.model.chain import Chain
    from staplecfg.model.facts import Facts
    from staplecfg.model.filesystem import Filesystem
    from staplecfg.model.settings import Endpoint, Settings
    from staplecfg.model.site import Configuration, Site
    from staplecfg.servers.interface import Delivery, Serving, StateFile, Words

DIRECTIVE = "SSLStaplingForceURL"
CACHE = "SSLStaplingCache"
TEMPLATE = "apache/responder/global.conf.j2"
MODULE = "socache_shmcb"

FATAL_WITHOUT_ANSWER = (2, 5)
"""From here on a fetch that fails ends the handshake where no TRY_LATER may be faked."""


@dataclass(frozen=True, slots=True)
class ResponderDelivery:
    """See `servers.interface.Delivery`; `listen` is where the local responder is."""

    listen: Endpoint
    name: str = "responder"
    live: bool = True
    from_store: bool = True
    asks_us: bool = True
    lazy: bool = False
    one_response: bool = False
    needs_schedule: bool = False
    writes: PurePosixPath | None = None
    switch: Words | None = None

    @property
    def url(self) -> str:
        """What mod_ssl is told to ask."""
        return local_responder.url(self.listen)

    def bound(self, settings: Settings, configuration: Configuration) -> Delivery:
        """See `Delivery.bound`."""
        del configuration
        return ResponderDelivery(settings.serve.listen)

    def misfit(self, site: Site, chains: Sequence[Chain], facts: Facts) -> Finding | None:
        """See `Delivery.misfit`."""
        del chains  # every certificate counts, also those that could not be read
        return fit.first(site, facts, (*fit.NEVER, _too_new, *fit.CONFLICTS, fit.by_mod_md, _proxy))

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
        """See `Delivery.trusts`: mod_ssl verifies no response."""
        del site, facts
        return None

    def state(self, key: str, serving: Serving, state_dir: PurePosixPath) -> tuple[StateFile, ...]:
        """See `Delivery.state`: the responder reads the store itself."""
        del key, serving, state_dir
        return ()

    def shared(self, sites: Sequence[Site], facts: Facts) -> Shared | Finding:
        """See `Delivery.shared`."""
        return cache(sites, facts)

    def owned(self, words: Words, state_dir: PurePosixPath) -> str | None:
        """See `Delivery.owned`."""
        del state_dir
        return "" if words == (DIRECTIVE, self.url) else None

    def litter(
        self, files: Filesystem, state_dir: PurePosixPath, keep: Iterable[PurePosixPath]
    ) -> tuple[PurePosixPath, ...]:
        """See `Delivery.litter`."""
        del files, state_dir, keep
        return ()


def cache(sites: Sequence[Site], facts: Facts) -> Shared | Finding:
    """Return the stapling cache that `sites` need, where nobody else has set one up.

    httpd does not start, and does not survive a graceful restart, where some
    virtual host staples and there is no cache; `-t` does not notice (2.4.71,
    AH01958). So ours stays for as long as anybody needs it, and for as long as
    our own lines are there: if an administrator adds another, the one that is
    read last counts, either will do, and a file that comes and goes with other
    people's edits would be a surprise. `remove` takes it away then.
    """
    standing = ours.stands(layout(facts).file, facts) and _names_one(facts)
    if sites and _unread(facts):
        return unread(facts)
    if ours.foreign(CACHE, facts) and not (sites and standing):
        return Shared()
    if not (sites or standing):
        return Shared()
    relying = None if sites else next(ours.relying(sites, facts), None)
    findings = () if relying is None else (_relied_on(relying, facts),)
    # Even with nothing left that staples, mod_ssl keeps what it made of the line across
    # reloads, and ends of it where the line is gone (2.4.71, AH01872).
    lingering = not sites and relying is None
    every = [each for site in facts.configuration.sites for each in site.certificates]
    variables = {"bytes": size_for(len({each.path or each.text for each in every}))}
    return placed(TEMPLATE, variables, (MODULE,), facts, findings=findings, lingering=lingering)


def _unread(facts: Facts) -> bool:
    """Say whether we set up a cache, and none is in effect: by an include under a condition."""
    if facts.configuration.globals.get(CACHE):
        return False
    place = layout(facts)
    if place.line is not None and not ours.is_read(place.line, facts):
        return False  # our own line in the main file is gone, and comes back
    return ours.stands(place.file, facts) and CACHE.encode() in facts.files.read(place.file)


def _names_one(facts: Facts) -> bool:
    """Say whether our file is the one that names a cache: it may hold another delivery's lines."""
    known = facts.configuration.globals.get(CACHE, ())
    return any(ours.is_ours(each, facts) for each in known)


def _relied_on(site: Site, facts: Facts) -> Finding:
    return Finding(
        RELIED_ON,
        Severity.WARNING,
        site.location,
        f"stapling is on here and not by staplecfg's hand; without {layout(facts).file} httpd"
        " would not survive its next restart, so that stays",
        f"write a line `{CACHE}` of your own, or turn stapling off, and run staplecfg remove again",
        site.title,
    )


def _too_new(site: Site, facts: Facts) -> Misfit | None:
    if facts.installation.version < FATAL_WITHOUT_ANSWER:
        return None
    return Misfit(
        site.location,
        "httpd 2.5 ends the handshake where the responder cannot be reached and no answer is"
        " made up (`SSLStaplingFakeTryLater off`)",
        "let mod_md keep the responses: `--delivery mod_md`",
    )


def _proxy(site: Site, facts: Facts) -> Misfit | None:
    del facts
    setting = site.setting("SSLOCSPProxyURL")
    if setting is None:
        return None
    return Misfit(
        setting.location,
        "`SSLOCSPProxyURL` is set here, and mod_ssl would ask that proxy for the local"
        " responder's answers too",
        "take it out of this virtual host; staplecfg has its own setting, `responders.proxy`",
    )


DELIVERY = ResponderDelivery(Serve().listen)
