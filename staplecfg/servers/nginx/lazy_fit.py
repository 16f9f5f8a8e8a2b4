"""Why the deliveries in which nginx asks a responder itself do not fit a server block."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from staplecfg.servers.nginx import fit
from staplecfg.servers.nginx.fit import Misfit

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import PurePosixPath

    from staplecfg.model.chain import Chain
    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding
    from staplecfg.model.site import Site


def misfit(
    site: Site, facts: Facts, directory: PurePosixPath, url: str | None = None
) -> Finding | None:
    """Return the first reason why nginx cannot ask for the staples of `site` itself.

    `url` is the responder it would be told to ask, if not those of the
    certificates. `directory` holds our own staple files, which do not count:
    they go with our line.
    """
    questions: tuple[fit.Question, ...] = (
        *fit.NEVER,
        partial(_address, url),
        *fit.CONFLICTS,
        partial(_file, directory),
    )
    return fit.first(site, facts, questions)


def misfit_live(
    site: Site, chains: Sequence[Chain], facts: Facts, directory: PurePosixPath
) -> Finding | None:
    """Return the first reason why nginx cannot ask the responders of `chains` themselves."""
    found = misfit(site, facts, directory)
    return found or fit.first(site, facts, (partial(_by_http, chains),))


def _by_http(chains: Sequence[Chain], site: Site, _facts: Facts) -> Misfit | None:
    if site.setting("ssl_stapling_responder") is not None:
        return None
    for chain in chains:
        if chain.responders and not chain.responders[0].lower().startswith("http://"):
            return Misfit(
                site.location,
                f"nginx asks the first responder only, and by http only: {chain.responders[0]}",
                "let staplecfg ask: `--delivery file`",
            )
    return None


def _address(url: str | None, site: Site, _facts: Facts) -> Misfit | None:
    resolver = site.setting("resolver")
    if resolver is None or url is None or not url.startswith("http://["):
        return None
    return Misfit(
        resolver.location,
        f"with a `resolver` in effect nginx cannot ask {url} (it tries to look it up)",
        'set `serve.listen` to an IPv4 address, "127.0.0.1:889"',
    )


def _file(directory: PurePosixPath, site: Site, _facts: Facts) -> Misfit | None:
    setting = site.setting("ssl_stapling_file")
    # `ssl_stapling_file "";` un-inherits one: nothing is served from a file.
    if setting is None or not site.value("ssl_stapling_file") or fit.ours(setting, directory):
        return None
    return Misfit(
        setting.location,
        "`ssl_stapling_file` is set here, and nginx asks no responder while it is",
        "take it out, or have the file renewed: `--delivery file`",
        decided=True,
        rule=fit.FOREIGN,
    )
