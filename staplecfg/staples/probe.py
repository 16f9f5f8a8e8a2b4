"""What visitors of a site get: real handshakes at its own addresses, the staple judged.

The staple is judged against the certificate that was presented, not against
the one on disk: what counts is what a client makes of the two together.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509 import load_der_x509_certificate

from staplecfg.model.probe import Missing, NotTestable, Probe, Refused, Tls
from staplecfg.staples.handshake import Handshaken, Key, handshake
from staplecfg.staples.presented import is_for
from staplecfg.staples.reach import asked_name, ways
from staplecfg.staples.verdict import Terms, judged, refusal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from cryptography.x509 import Certificate

    from staplecfg.model.chain import Chain
    from staplecfg.model.probe import Target, Verdict
    from staplecfg.model.settings import Floors
    from staplecfg.model.site import Site
    from staplecfg.staples.reach import Way

PARALLEL = 8
"""How many sites are probed at a time: a server that hangs must not cost a timeout for each."""


@dataclass(frozen=True, slots=True)
class _Question:
    """One site, asked about: what `probe` was called with."""

    site: Site
    chain: Chain | None
    name: str | None
    key: Key | None
    now: datetime
    floors: Floors
    timeout: float
    tries: int
    allow_sha1: bool


def probe(
    site: Site,
    chain: Chain | None,
    *,
    now: datetime,
    floors: Floors,
    timeout: float = 5.0,
    tries: int = 1,
    allow_sha1: bool = False,
) -> tuple[Probe, ...]:
    """Return what `site` serves at each of its local addresses, in TLS 1.2 and 1.3.

    `chain` is the certificate expected there, None where it cannot be told; a
    site with several is probed with each in turn. `timeout` is in seconds, for
    each handshake. Where a staple is missing it is asked for up to `tries`
    times: a server that fetches by itself has none for its first visitors.
    """
    key = _key(chain) if chain is not None and len(site.certificates) > 1 else None
    question = _Question(
        site, chain, asked_name(site.names), key, now, floors, timeout, tries, allow_sha1
    )
    return tuple(one for way in ways(site) for one in _along(way, question))


def each_kind(chains: Sequence[Chain]) -> tuple[Chain, ...]:
    """Return the chains of a site that a handshake can ask for: the last of each kind of key.

    A second certificate of the same kind takes the place of the first (OpenSSL 3.0,
    SSL_CTX_use_certificate).
    """
    return tuple({_key(chain): chain for chain in chains}.values())


def probe_all(
    sites: Iterable[tuple[Site, Chain | None]],
    *,
    now: datetime,
    floors: Floors,
    timeout: float = 5.0,
    tries: int = 1,
    allow_sha1: bool = False,
) -> tuple[Probe, ...]:
    """Return the probes of all `sites`, in their order, several sites at a time; see `probe`."""
    one = partial(
        probe, now=now, floors=floors, timeout=timeout, tries=tries, allow_sha1=allow_sha1
    )
    with ThreadPoolExecutor(max_workers=PARALLEL) as pool:
        return tuple(seen for probes in pool.map(lambda pair: one(*pair), sites) for seen in probes)


def _along(way: Way, question: _Question) -> tuple[Probe, ...]:
    title, location, name = question.site.title, question.site.location, question.name
    if isinstance(way, NotTestable):
        return (Probe(title, location, name, None, None, way),)
    return tuple(_tried(way, version, question) for version in Tls)


def _tried(targets: tuple[Target, ...], version: Tls, question: _Question) -> Probe:
    """Probe the first of `targets` at which anyone answers."""
    probes: list[Probe] = []
    for target in targets:
        probes.append(_probed(target, version, question))
        verdict = probes[-1].verdict
        if not isinstance(verdict, Refused) or verdict.connected:
            return probes[-1]
    return probes[0]


def _probed(target: Target, version: Tls, question: _Question) -> Probe:
    site, name = question.site, question.name
    for _ in range(max(1, question.tries)):
        seen = handshake(
            target, name=name, version=version, timeout=question.timeout, key=question.key
        )
        verdict = _verdict(seen, version, question)
        if not isinstance(verdict, Missing):
            break
    presented = sha256(seen.leaf).hexdigest() if isinstance(seen, Handshaken) else ""
    key = "" if question.key is None else question.key.value
    return Probe(site.title, site.location, name, target, version, verdict, presented, key)


def _verdict(seen: Handshaken | Refused, version: Tls, question: _Question) -> Verdict:
    if isinstance(seen, Refused):
        return refusal(seen, version)
    chain = question.chain
    leaf, *above = map(_readable, seen.chain)
    if leaf is None:
        return NotTestable("the certificate presented cannot be read")
    if not is_for(leaf, question.name, chain):
        asked = f'"{question.name}"' if question.name is not None else "no name at all"
        return NotTestable(f"another site answers to {asked} here")
    if seen.staple is None:
        return Missing()
    known = [] if chain is None else [*([chain.issuer] if chain.issuer else ()), *chain.others]
    candidates = [*filter(None, above), *known]
    terms = Terms(question.now, question.floors, question.allow_sha1)
    return judged(seen.staple, leaf, candidates, terms)


def _readable(der: bytes) -> Certificate | None:
    try:
        return load_der_x509_certificate(der)
    except ValueError:
        return None


def _key(chain: Chain) -> Key:
    return Key.RSA if isinstance(chain.leaf.public_key(), RSAPublicKey) else Key.ECDSA
