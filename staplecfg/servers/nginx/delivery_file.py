"""nginx `file`: a judged response as `ssl_stapling_file`, named by a snippet in state.

nginx reads the response when it reads its configuration and checks nothing but
that it parses; so there is no gap, and everything must be right beforehand.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from staplecfg.model.change import Content, Kind
from staplecfg.servers import site_key
from staplecfg.servers.interface import Shared, StateFile
from staplecfg.servers.nginx import file_fit
from staplecfg.servers.nginx.places import STAPLES, directory

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from staplecfg.model.chain import Chain
    from staplecfg.model.facts import Facts
    from staplecfg.model.filesystem import Filesystem
    from staplecfg.model.finding import Finding
    from staplecfg.model.settings import Settings
    from staplecfg.model.site import Configuration, Site
    from staplecfg.model.staple import Staple
    from staplecfg.servers.interface import Delivery, Serving, Words

SNIPPET = "staple.conf"

SERVED = re.compile(r"[0-9a-f]{64}-[0-9]{8}T[0-9]{6}Z\.der")
"""What a served copy is called; nothing else in its directory is ours to take away."""

TEMPLATE = "nginx/file/state.conf.j2"


class FileDelivery:
    """See `servers.interface.Delivery`."""

    name = "file"
    live = False
    from_store = True
    asks_us = False
    lazy = False
    one_response = True
    needs_schedule = True
    writes = None
    switch = None

    def bound(self, settings: Settings, configuration: Configuration) -> Delivery:
        """See `Delivery.bound`."""
        del settings, configuration  # nothing but the state directory matters, which is handed in
        return self

    def misfit(self, site: Site, chains: Sequence[Chain], facts: Facts) -> Finding | None:
        """See `Delivery.misfit`."""
        return file_fit.misfit(site, chains, facts, directory(facts.settings.state_dir))

    def recorded(self, words: Sequence[Words]) -> bool:
        """See `Delivery.recorded`."""
        del words
        return False

    def key(self, site: Site) -> str:
        """See `Delivery.key`."""
        return site_key.of(site)

    def variables(self, site: Site, state_dir: PurePosixPath) -> Mapping[str, object]:
        """See `Delivery.variables`."""
        return {"include_dir": str(directory(state_dir) / self.key(site))}

    def trusts(self, site: Site, facts: Facts) -> PurePosixPath | None:
        """See `Delivery.trusts`."""
        del site, facts
        return None

    def state(self, key: str, serving: Serving, state_dir: PurePosixPath) -> tuple[StateFile, ...]:
        """See `Delivery.state`. The snippet is only ever replaced: unlinking races nginx's glob."""
        snippet = directory(state_dir) / key / SNIPPET
        staple = serving.common
        if staple is None:
            return (_snippet(snippet, None),)
        served = directory(state_dir) / STAPLES / served_name(staple)
        return (
            StateFile(served, Kind.STAPLE, content=Content(staple.der, mode=0o644)),
            _snippet(snippet, served),
        )

    def shared(self, sites: Sequence[Site], facts: Facts) -> Shared:
        """See `Delivery.shared`."""
        del sites, facts
        return Shared()

    def owned(self, words: Words, state_dir: PurePosixPath) -> str | None:
        """See `Delivery.owned`."""
        if len(words) != 2 or words[0] != "include":  # noqa: PLR2004 - the name and one argument
            return None
        path = PurePosixPath(words[1])
        if path.name != "*.conf" or path.parent.parent != directory(state_dir):
            return None
        return path.parent.name

    def litter(
        self, files: Filesystem, state_dir: PurePosixPath, keep: Iterable[PurePosixPath]
    ) -> tuple[PurePosixPath, ...]:
        """See `Delivery.litter`: snippets first, for they name the staples."""
        top = directory(state_dir)
        kept = frozenset(keep)
        keys = [name for name in files.listing(top) if name != STAPLES]
        snippets = [top / name / SNIPPET for name in keys]
        served = [top / STAPLES / name for name in files.listing(top / STAPLES)]
        found = [path for path in snippets if files.exists(path)]
        found += [path for path in served if SERVED.fullmatch(path.name)]
        return tuple(path for path in found if path not in kept)


def served_name(staple: Staple) -> str:
    """Return the name of a served copy: another response, another name."""
    return f"{staple.fingerprint}-{staple.this_update:%Y%m%dT%H%M%SZ}.der"


def _snippet(path: PurePosixPath, served: PurePosixPath | None) -> StateFile:
    named = None if served is None else str(served)
    return StateFile(path, Kind.SNIPPET, template=TEMPLATE, variables={"staple": named})


DELIVERY = FileDelivery()
