"""Apache `mod_md`: mod_md keeps the responses, and we put ours into its store before it asks.

Nothing of ours runs beside httpd. mod_md renews by itself too, without verifying
signatures, and it serves a response past its end if nobody brings another: so
what is there is judged at every run, and taken away where it may not be served.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from staplecfg.model.change import Content, Kind
from staplecfg.model.finding import Finding, Severity
from staplecfg.model.settings import STATE_DIR
from staplecfg.servers import site_key
from staplecfg.servers.apache import fit, md_store, ours
from staplecfg.servers.apache.fit import Misfit
from staplecfg.servers.apache.layout import layout
from staplecfg.servers.apache.managed import domains, stores
from staplecfg.servers.apache.placing import RELIED_ON, placed
from staplecfg.servers.apache.values import flag
from staplecfg.servers.interface import Renewed, Shared, StateFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import PurePosixPath

    from staplecfg.model.chain import Chain
    from staplecfg.model.facts import Facts
    from staplecfg.model.filesystem import Filesystem
    from staplecfg.model.settings import Settings
    from staplecfg.model.site import Configuration, Site
    from staplecfg.model.source import Location
    from staplecfg.servers.interface import Delivery, Serving, Words

SWITCH = "MDStapling"
TEMPLATE = "apache/mod_md/global.conf.j2"
SINCE = (2, 4, 42)
BROKEN = (2, 4, 66)
"""mod_md 2.6.0 to 2.6.6 staples for managed domains only, whatever MDStapleOthers says."""


@dataclass(frozen=True, slots=True)
class ModMdDelivery:
    """See `servers.interface.Delivery`; `user` is whom files in `store` belong to."""

    store: PurePosixPath
    user: str | None = None
    name: str = "mod_md"
    live: bool = True
    from_store: bool = True
    asks_us: bool = False
    lazy: bool = False
    one_response: bool = False
    needs_schedule: bool = False
    switch: Words | None = (SWITCH, "on")

    @property
    def writes(self) -> PurePosixPath | None:
        """See `Delivery.writes`."""
        return self.store

    def bound(self, settings: Settings, configuration: Configuration) -> Delivery:
        """See `Delivery.bound`."""
        store = md_store.store(configuration, settings.state_dir)
        return ModMdDelivery(store, md_store.user(configuration))

    def misfit(self, site: Site, chains: Sequence[Chain], facts: Facts) -> Finding | None:
        """See `Delivery.misfit`."""
        del chains
        questions = (*fit.NEVER, _version, *fit.CONFLICTS, _decided_off, _others_off, _store)
        return fit.first(site, facts, questions)

    def recorded(self, words: Sequence[Words]) -> bool:
        """See `Delivery.recorded`."""
        return self.switch in words

    def key(self, site: Site) -> str:
        """See `Delivery.key`."""
        return site_key.of(site)

    def variables(self, site: Site, state_dir: PurePosixPath) -> Mapping[str, object]:
        """See `Delivery.variables`."""
        del site, state_dir
        return {}

    def trusts(self, site: Site, facts: Facts) -> PurePosixPath | None:
        """See `Delivery.trusts`: mod_md verifies no signature."""
        del site, facts
        return None

    def state(self, key: str, serving: Serving, state_dir: PurePosixPath) -> tuple[StateFile, ...]:
        """See `Delivery.state`: a file for each certificate, whichever sites present it."""
        del key, state_dir
        return tuple(
            StateFile(
                md_store.path(self.store, held.der),
                Kind.STAPLE,
                content=None
                if held.staple is None
                else Content(md_store.written(held.staple), mode=0o644, owner=self.user),
                renewed=Renewed(held.fingerprint, md_store.response, self.store),
            )
            for held in serving.each
        )

    def shared(self, sites: Sequence[Site], facts: Facts) -> Shared | Finding:
        """See `Delivery.shared`.

        A store is named only where none is in effect and no domain is managed:
        where it moves, mod_md finds its certificates no more and answers with
        503. So ours stays, too, once somebody has mod_md manage a domain.
        """
        standing = ours.stands(layout(facts).file, facts)
        ours_in_effect = standing and len(stores(facts.configuration)) == 1
        managed = domains(facts.configuration)
        if not sites:
            if not (ours_in_effect and managed):
                return Shared()
            return self._placed(facts, (_relied_on(managed[0].location, facts),))
        return self._placed(facts)

    def _placed(self, facts: Facts, findings: tuple[Finding, ...] = ()) -> Shared | Finding:
        known = stores(facts.configuration)
        named = [each for each in known if not ours.is_ours(each, facts)]
        wanted = not named and (bool(known) or not domains(facts.configuration))
        variables = {"store": str(md_store.own(facts.settings.state_dir))} if wanted else {}
        return placed(TEMPLATE, variables, ("watchdog", "md"), facts, findings=findings)

    def owned(self, words: Words, state_dir: PurePosixPath) -> str | None:
        """See `Delivery.owned`: its line could be anybody's, so the record tells."""
        del words, state_dir
        return None

    def litter(
        self, files: Filesystem, state_dir: PurePosixPath, keep: Iterable[PurePosixPath]
    ) -> tuple[PurePosixPath, ...]:
        """See `Delivery.litter`: mod_md takes old files away itself, a week after their end."""
        del files, state_dir, keep
        return ()


def _relied_on(at: Location, facts: Facts) -> Finding:
    return Finding(
        RELIED_ON,
        Severity.WARNING,
        at,
        "mod_md manages a domain, and has its certificate in the store that"
        f" {layout(facts).file} names; so that stays",
        "write the same `MDStoreDir` yourself, and run staplecfg remove again",
    )


def _version(site: Site, facts: Facts) -> Misfit | None:
    version = facts.installation.version
    if version and version < SINCE:
        return Misfit(site.location, "mod_md staples since httpd 2.4.42 only", decided=True)
    if version == BROKEN:
        return Misfit(
            site.location,
            "mod_md of httpd 2.4.66 staples for no certificate but those it manages itself",
            "update httpd, or choose `--delivery responder`",
        )
    return None


def _decided_off(site: Site, _facts: Facts) -> Misfit | None:
    setting = site.setting(SWITCH)
    if setting is None or flag(setting):
        return None
    return Misfit(
        setting.location,
        "`MDStapling off` is set here; staplecfg does not overrule it",
        "take it out, or choose `--delivery responder`",
        decided=True,
        rule=fit.DECIDED,
    )


def _others_off(site: Site, _facts: Facts) -> Misfit | None:
    setting = site.setting("MDStapleOthers")
    if setting is None or flag(setting):
        return None
    return Misfit(
        setting.location,
        "`MDStapleOthers off` is set here, so mod_md staples only for certificates it manages",
        "take it out, or choose `--delivery responder`",
    )


def _store(site: Site, facts: Facts) -> Misfit | None:
    managed = domains(facts.configuration)
    if not managed or stores(facts.configuration):
        return None
    return Misfit(
        managed[0].location,
        "mod_md manages a domain here, and no `MDStoreDir` says where its store is; staplecfg"
        " never names one beside certificates that are in use",
        f"name the store it uses, or choose `--delivery responder` for {site.title}",
    )


DELIVERY = ModMdDelivery(md_store.own(STATE_DIR))
