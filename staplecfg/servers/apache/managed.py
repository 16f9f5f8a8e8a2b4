"""Which sites mod_md staples for, and where it keeps what it has (mod_md_ocsp.c, `staple_here`)."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from staplecfg.model.site import Origin
from staplecfg.servers.apache.values import flag

if TYPE_CHECKING:
    from staplecfg.model.directive import Directive
    from staplecfg.model.site import Configuration, Setting, Site

SECTIONS = ("MDomain", "MDomainSet")
"""`MDomain` is a line or a section, `MDomainSet` a section; both name their domains."""


def stapled_by_md(site: Site, configuration: Configuration) -> Setting | None:
    """Return the `MDStapling on` by which mod_md answers for `site`, or None.

    It answers for the certificates of managed domains, and for those of others
    unless `MDStapleOthers` is off.
    """
    domain = managed(site, configuration)
    inner = _within(domain, "MDStapling") if domain is not None else None
    if domain is not None and inner is not None:
        return domain if inner.args[0].lower() == "on" else None
    setting = site.setting("MDStapling")
    others = flag(site.setting("MDStapleOthers"), default=True)
    return setting if flag(setting) and (others or domain is not None) else None


def managed(site: Site, configuration: Configuration) -> Setting | None:
    """Return the `MDomain` line or section that has a name of `site`, or None."""
    names = {name.lower() for name in site.names}
    for setting in domains(configuration):
        if names & {arg.lower() for arg in setting.args}:
            return setting
    return None


def domains(configuration: Configuration) -> tuple[Setting, ...]:
    """Return every line and section that hands domains to mod_md: it gets their certificates."""
    return tuple(s for name in SECTIONS for s in configuration.globals.get(name, ()))


def server_root(configuration: Configuration, default: PurePosixPath) -> PurePosixPath:
    """Return where relative paths count from; `default` is what was compiled in."""
    given = [s.args[0] for s in configuration.globals.get("ServerRoot", ()) if s.args]
    return PurePosixPath(given[-1]) if given else default


def stores(configuration: Configuration) -> tuple[Setting, ...]:
    """Return the `MDStoreDir` lines; one counts for all sites, wherever it stands, the last."""
    own = (
        setting
        for site in configuration.sites
        for setting in site.settings.get("MDStoreDir", ())
        if setting.origin is not Origin.INHERITED
    )
    found = (*configuration.globals.get("MDStoreDir", ()), *own)
    return tuple(setting for setting in found if setting.args)


def _within(setting: Setting, name: str) -> Directive | None:
    children = setting.directive.block.children if setting.directive.block else ()
    return next((child for child in reversed(children) if child.name == name and child.args), None)
