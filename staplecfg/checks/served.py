"""The staple files that servers hand out, judged as their clients would judge them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from staplecfg.checks.subjects import chains_of
from staplecfg.model.errors import Unreadable
from staplecfg.model.verdict import Good, Reason, Rejected
from staplecfg.pki.judge import Purpose, judge
from staplecfg.pki.pem import encoded
from staplecfg.servers.in_effect import in_effect, kept

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import PurePosixPath

    from staplecfg.model.chain import Chain
    from staplecfg.model.facts import Facts
    from staplecfg.model.site import Setting, Site
    from staplecfg.model.verdict import Judgement


@dataclass(frozen=True, slots=True)
class Served:
    """The response at `path` that `site` serves, and what it is for each of its certificates."""

    site: Site
    setting: Setting
    path: PurePosixPath
    problem: str | None
    """Why it cannot be read."""
    judged: tuple[tuple[Chain, Judgement], ...] = ()
    by_module: bool = False
    """A module of the server's wrote it, and keeps it."""


def served(facts: Facts) -> Iterator[Served]:
    """Yield every staple file in effect; a certificate without a known issuer is not judged."""
    for site in facts.configuration.sites:
        stapling = in_effect(site, facts.configuration)
        if stapling.module is not None:
            yield from _kept(site, stapling.module, facts)
        if not stapling.on or stapling.file is None or stapling.path is None:
            continue
        try:
            der = facts.files.read(stapling.path)
        except Unreadable as error:
            yield Served(site, stapling.file, stapling.path, error.problem)
            continue
        judged = tuple(
            (chain, _judged(der, chain, facts))
            for chain in chains_of(site, facts)
            if chain.issuer is not None
        )
        yield Served(site, stapling.file, stapling.path, None, judged)


def _kept(site: Site, module: Setting, facts: Facts) -> Iterator[Served]:
    """Yield what a module keeps for the certificates of `site`; what is not there it will fetch."""
    for chain in chains_of(site, facts):
        leaf = encoded(chain.leaf)
        file = kept(site, leaf, facts.configuration, facts.settings.state_dir)
        if file is None or chain.issuer is None or not facts.files.exists(file.path):
            continue
        try:
            der = file.response(facts.files.read(file.path))
        except Unreadable as error:
            yield Served(site, module, file.path, error.problem, by_module=True)
            continue
        if der is not None:
            judged = ((chain, _judged(der, chain, facts)),)
            yield Served(site, module, file.path, None, judged, by_module=True)


def fits_some(one: Served) -> bool:
    """Say whether the response is good, and wrong for no reason but being about a neighbour."""
    verdicts = [verdict for _, verdict in one.judged]
    rejected = [verdict for verdict in verdicts if isinstance(verdict, Rejected)]
    return any(isinstance(verdict, Good) for verdict in verdicts) and all(
        verdict.reason in {Reason.OTHER_CERTIFICATE, Reason.SIGNER} for verdict in rejected
    )


def _judged(der: bytes, chain: Chain, facts: Facts) -> Judgement:
    if chain.issuer is None:
        raise ValueError("a chain without an issuer cannot be judged")
    return judge(
        der,
        chain.leaf,
        chain.issuer,
        now=facts.now,
        floors=facts.settings.floors,
        purpose=Purpose.SERVED,
        allow_sha1=facts.settings.responders.allow_sha1_signature,
    )
