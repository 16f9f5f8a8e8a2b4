"""What the rules are about: the sites asked for, and the certificates they present."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from staplecfg.model.chain import Chain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import PurePosixPath

    from staplecfg.model.facts import Facts
    from staplecfg.model.settings import Settings
    from staplecfg.model.site import Certificate, Site


def selected(site: Site, settings: Settings) -> bool:
    """Say whether `--site` and `--exclude` leave `site` in.

    A pattern matches a name, in any case, or the place: `path` or `path:line`.
    """
    wanted = not settings.sites or _matches(site, settings.sites)
    return wanted and not _matches(site, settings.exclude)


def _matches(site: Site, patterns: Iterable[str]) -> bool:
    names = [name.lower() for name in (*site.names, site.title)]
    paths = (str(site.location.path), str(site.file))
    places = (*paths, *(f"{path}:{site.location.line}" for path in paths))
    return any(
        any(fnmatchcase(name, pattern.lower()) for name in names)
        or any(fnmatchcase(place, pattern) for place in places)
        for pattern in patterns
    )


def presented(facts: Facts) -> Iterator[tuple[Site, Certificate, Chain]]:
    """Yield every certificate that could be read, in every place it is configured."""
    for site in facts.configuration.sites:
        for certificate in site.certificates:
            chain = facts.chains.get(certificate.path) if certificate.path else None
            if isinstance(chain, Chain):
                yield site, certificate, chain


def each_file(facts: Facts) -> Iterator[tuple[Site, Certificate, Chain]]:
    """Yield every certificate file that could be read once, where it is configured first."""
    seen: set[PurePosixPath] = set()
    for site, certificate, chain in presented(facts):
        if chain.path not in seen:
            seen.add(chain.path)
            yield site, certificate, chain


def each_certificate(facts: Facts) -> Iterator[tuple[Site, Certificate, Chain]]:
    """Yield every certificate once, though several files may hold it."""
    seen: set[str] = set()
    for site, certificate, chain in presented(facts):
        if chain.fingerprint not in seen:
            seen.add(chain.fingerprint)
            yield site, certificate, chain


def chains_of(site: Site, facts: Facts) -> tuple[Chain, ...]:
    """Return what could be read of the certificates of `site`, in their order."""
    found = (facts.chains.get(c.path) for c in site.certificates if c.path is not None)
    return tuple(chain for chain in found if isinstance(chain, Chain))


def usable(chain: Chain, facts: Facts) -> bool:
    """Say whether a staple for `chain` can be asked for: RFC 6960, 4.1.1 and 4.2.2.2."""
    override = facts.settings.responders.override or {}
    askable = any(override.get(url, url) for url in chain.responders)
    current = chain.not_before <= facts.now <= chain.not_after
    return askable and chain.issuer is not None and current


def self_signed(chain: Chain) -> bool:
    """Say whether the leaf names itself as its issuer (RFC 5280, 6.1: self-issued)."""
    return chain.leaf.issuer == chain.leaf.subject
