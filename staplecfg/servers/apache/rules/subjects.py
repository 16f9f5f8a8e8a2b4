"""The virtual hosts the rules are about, and what is in effect in all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.model.chain import Chain
from staplecfg.servers.apache.scan import walk
from staplecfg.servers.apache.stapling import stapling
from staplecfg.servers.apache.trouble import UNDECIDED
from staplecfg.servers.apache.values import flag, is_local

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import PurePosixPath

    from staplecfg.model.facts import Facts
    from staplecfg.model.site import Configuration, Setting, Site
    from staplecfg.servers.stapling import Stapling

STATIC = "static-modules"
"""The detail of an installation that says what is compiled in: `core.c mod_so.c ...`."""


def by_mod_ssl(facts: Facts) -> Iterator[tuple[Site, Stapling, Setting]]:
    """Yield the sites that mod_ssl staples for, with the `SSLUseStapling on` that says so."""
    for site in facts.configuration.sites:
        state = stapling(site, facts.configuration)
        if state.on and state.module is None and state.switch is not None:
            yield site, state, state.switch


def by_mod_md(facts: Facts) -> Iterator[tuple[Site, Setting]]:
    """Yield the sites that mod_md staples for, with what says so."""
    for site in facts.configuration.sites:
        state = stapling(site, facts.configuration)
        if state.module is not None:
            yield site, state.module


def fetching(facts: Facts) -> Iterator[tuple[Site, Stapling, Setting]]:
    """Yield the sites whose handshakes wait for a responder that is somewhere else."""
    for site, state, switch in by_mod_ssl(facts):
        if asks_somebody(site, state, facts) and not asks_locally(state):
            yield site, state, switch


def asks_somebody(site: Site, state: Stapling, facts: Facts) -> bool:
    """Say whether there is a responder to ask at all."""
    return state.responder is not None or any(c.responders for c in chains_of(site, facts))


def asks_locally(state: Stapling) -> bool:
    """Say whether the responder that is asked is on this machine."""
    return state.responder is not None and is_local(state.responder.args[0])


def chains_of(site: Site, facts: Facts) -> tuple[Chain, ...]:
    """Return what could be read of the certificates of `site`, in their order."""
    found = (facts.chains.get(c.path) for c in site.certificates if c.path is not None)
    return tuple(chain for chain in found if isinstance(chain, Chain))


def certificates(sites: Iterator[Site], facts: Facts) -> int:
    """Return how many certificates `sites` present, the same one counted once."""
    found: set[str | PurePosixPath] = set()
    for site in sites:
        paths = [c.path for c in site.certificates if c.path is not None]
        for path in paths:
            chain = facts.chains.get(path)
            found.add(chain.fingerprint if isinstance(chain, Chain) else path)
    return len(found)


def cache_of(configuration: Configuration) -> Setting | None:
    """Return the `SSLStaplingCache` in effect: the last one, whoever's it is."""
    found = [s for s in configuration.globals.get("SSLStaplingCache", ()) if s.args]
    return found[-1] if found else None


def undecided(name: str, configuration: Configuration) -> bool:
    """Say whether a line `name` stands in some file, and some section could not be decided."""
    if not any(finding.rule == UNDECIDED for finding in configuration.findings):
        return False
    return any(
        each.name == name
        for source in configuration.files.values()
        for each in walk(source.directives)
    )


def errors_off(site: Site) -> Setting | None:
    """Return what keeps a failed fetch from being stapled and cached as TRY_LATER, or None.

    Measured with 2.4.71: each of the two alone leads to a fetch in every handshake.
    """
    for name in ("SSLStaplingReturnResponderErrors", "SSLStaplingFakeTryLater"):
        setting = site.setting(name)
        if not flag(setting, default=True):
            return setting
    return None


def has_module(facts: Facts, name: str) -> bool | None:
    """Say whether the module `name` (`socache_shmcb`) is there; None where that is not known."""
    loaded = facts.configuration.globals.get("LoadModule", ())
    if any(s.args and s.args[0] == f"{name}_module" for s in loaded):
        return True
    static = facts.installation.details.get(STATIC)
    return None if static is None else f"mod_{name}.c" in static.split()
