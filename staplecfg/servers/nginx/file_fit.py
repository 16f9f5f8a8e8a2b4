"""Why the delivery `file` does not fit a server block: one question a function."""

from __future__ import annotations

from functools import partial
from shlex import quote
from typing import TYPE_CHECKING

from staplecfg.servers.nginx import fit
from staplecfg.servers.nginx.fit import Misfit, may_replace

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import PurePosixPath

    from staplecfg.model.chain import Chain
    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding
    from staplecfg.model.settings import Settings
    from staplecfg.model.site import Site

GLOB = frozenset("*?[\\")
"""What glob(3) does not take for itself: nginx hands it the state directory with `*.conf`."""


def misfit(
    site: Site, chains: Sequence[Chain], facts: Facts, directory: PurePosixPath
) -> Finding | None:
    """Return the first reason why `site` cannot staple from a file of ours in `directory`."""
    questions: tuple[fit.Question, ...] = (
        *fit.NEVER,
        partial(_several, chains),
        *fit.CONFLICTS[:1],
        partial(_glob, directory),
        *fit.CONFLICTS[1:],
        partial(_foreign_file, directory),
    )
    return fit.first(site, facts, questions)


def _several(chains: Sequence[Chain], site: Site, facts: Facts) -> Misfit | None:
    """Find what keeps one response from answering for all certificates; only asking tells more."""
    if len(site.certificates) < 2 or len(chains) != len(site.certificates):  # noqa: PLR2004 - two is where it becomes several
        return None  # of those that cannot be read is told elsewhere
    first, *others = chains
    if any(_parent(other) != _parent(first) for other in others):
        why = "they are of different issuers"
    elif not _responders(first, facts.settings).intersection(
        *(_responders(other, facts.settings) for other in others)
    ):
        why = "no responder is named by all of them"
    else:
        return None
    return Misfit(
        site.certificates[1].location,
        f"nginx would send one staple file with each of {len(chains)} certificates, and no"
        f" response can answer for them all: {why}",
        f"run staplecfg apply --delivery responder --site {quote(site.title)}"
        " (with `staplecfg serve`); or keep one certificate, every client of today takes ECDSA",
    )


def _parent(chain: Chain) -> object:
    """Return what a CertID tells of the issuer, and who must have signed the response."""
    return chain.leaf.issuer, chain.issuer


def _responders(chain: Chain, settings: Settings) -> frozenset[str]:
    override = settings.responders.override or {}
    return frozenset(url for each in chain.responders if (url := override.get(each, each)))


def _foreign_file(directory: PurePosixPath, site: Site, facts: Facts) -> Misfit | None:
    setting = site.setting("ssl_stapling_file")
    # `ssl_stapling_file "";` un-inherits one: nothing is served from a file.
    if setting is None or not site.value("ssl_stapling_file") or fit.ours(setting, directory):
        return None
    if may_replace(facts, "ssl_stapling_file"):
        return None
    return Misfit(
        setting.location,
        "`ssl_stapling_file` is set here; somebody else writes that file, it is only checked",
        f"run staplecfg apply --adopt --site {quote(site.title)}",
        decided=True,
        rule=fit.FOREIGN,
    )


def _glob(directory: PurePosixPath, site: Site, _facts: Facts) -> Misfit | None:
    if not GLOB & set(str(directory)):
        return None
    return Misfit(
        site.location,
        f'nginx would read the state directory "{directory.parent}" as a pattern',
        "name one without * ? [ \\ by --state-dir",
    )
