"""What any TLS server presents and staples: by address, TLS version and kind of key.

Nothing is asked of anybody but the server: a certificate's issuer is looked
for among what it presented, what was handed in, and the roots.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_der_x509_certificate

from staplecfg.model.chain import Chain
from staplecfg.model.probe import Missing, NotTestable, Refused, Served, Tls, Wrong
from staplecfg.pki.chain import read_chain
from staplecfg.pki.issuance import issuer_of
from staplecfg.pki.order import order_problems
from staplecfg.pki.trust import Untrusted, trust
from staplecfg.staples.handshake import Handshaken, Key, handshake
from staplecfg.staples.issuer import issuer_urls
from staplecfg.staples.presented import is_for
from staplecfg.staples.verdict import judged, refusal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cryptography.x509 import Certificate

    from staplecfg.model.probe import Target, Verdict
    from staplecfg.staples.verdict import Terms

PARALLEL = 8
BEST_FIRST = (Served, NotTestable, Missing, Wrong, Refused)


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a server. `expected` is the certificate on disk, where it is our own."""

    name: str | None
    terms: Terms
    roots: tuple[Certificate, ...] = ()
    issuers: tuple[Certificate, ...] = ()
    expected: Chain | None = None
    count: int = 1
    timeout: float = 5.0


@dataclass(frozen=True, slots=True)
class Presented:
    """The certificates of one handshake, as a client without any others sees them."""

    chain: Chain
    key: str
    """The kind of the leaf's key, `RSA` or `ECDSA`, or empty for others."""
    disorder: tuple[str, ...]
    """What is wrong with their order, or with what is among them."""
    untrusted: str | None
    """Why they lead to none of the roots; None where they do."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """What came of the handshakes of one kind; `verdict` is the worst of `verdicts`."""

    target: Target
    version: Tls
    verdict: Verdict
    verdicts: tuple[Verdict, ...]
    presented: Presented | None

    @property
    def unmet(self) -> bool:
        """Say whether the certificate demands a staple and no good one came (RFC 7633, 4.2.3)."""
        demanded = self.presented is not None and self.presented.chain.must_staple
        return demanded and isinstance(self.verdict, Missing | Wrong)

    @property
    def excused(self) -> bool:
        """Say whether no staple came and none can exist: nobody would answer."""
        if self.presented is None or not isinstance(self.verdict, Missing):
            return False
        return not self.presented.chain.responders and not self.unmet


def survey(
    ways: Iterable[tuple[Sequence[Target], Question]],
) -> tuple[tuple[Sighting, ...], ...]:
    """Return what is seen along each of `ways`, in their order, several at a time.

    A way is targets of which the first that answers counts, and what to ask
    there. Every handshake is bounded by its question's timeout, and an address
    at which nobody answers is asked once.
    """
    with ThreadPoolExecutor(max_workers=PARALLEL) as pool:
        return tuple(pool.map(lambda way: _along(*way), ways))


def _along(targets: Sequence[Target], question: Question) -> tuple[Sighting, ...]:
    first: tuple[Sighting, ...] = ()
    for target in targets:
        seen = _at(target, question)
        if not _unreached(seen[0]):
            return seen
        first = first or seen
    return first


def _at(target: Target, question: Question) -> tuple[Sighting, ...]:
    found: list[Sighting] = []
    for version in Tls:
        sighting = _sighted(target, version, None, question)
        found.append(sighting)
        if _unreached(sighting):
            break
        found += _other_keys(sighting, question)
    return tuple(found)


def _other_keys(first: Sighting, question: Question) -> list[Sighting]:
    """Return what a server with a second certificate presents to clients who want that one."""
    if first.presented is None:
        return []
    kinds = [key for key in Key if key.value != first.presented.key]
    seen = [_sighted(first.target, first.version, key, question) for key in kinds]
    return [each for each in seen if each.presented and each.presented.key != first.presented.key]


def _sighted(target: Target, version: Tls, key: Key | None, question: Question) -> Sighting:
    """Make the handshakes of one kind; not on, where nobody answers or there is no such key."""
    verdicts: list[Verdict] = []
    presented: Presented | None = None
    ask = partial(handshake, name=question.name, version=version, timeout=question.timeout, key=key)
    for _ in range(max(1, question.count)):
        seen = ask(target)
        verdicts.append(_verdict(seen, version, question))
        if isinstance(seen, Refused):
            if presented is None and (key is not None or not seen.connected):
                break
        elif presented is None:
            presented = _presented(seen, question)
    worst = max(verdicts, key=lambda verdict: BEST_FIRST.index(type(verdict)))
    return Sighting(target, version, worst, tuple(verdicts), presented)


def _unreached(sighting: Sighting) -> bool:
    return isinstance(sighting.verdict, Refused) and not sighting.verdict.connected


def _verdict(seen: Handshaken | Refused, version: Tls, question: Question) -> Verdict:
    if isinstance(seen, Refused):
        return refusal(seen, version)
    leaf, *above = map(_readable, seen.chain)
    if leaf is None:
        return NotTestable("the certificate presented cannot be read")
    if not is_for(leaf, question.name, question.expected):
        asked = f'"{question.name}"' if question.name is not None else "no name at all"
        return NotTestable(f"another site answers to {asked} here")
    if seen.staple is None:
        return Missing()
    candidates = (*filter(None, above), *question.issuers, *question.roots)
    if issuer_of(leaf, candidates) is None:
        return NotTestable(_unknown_issuer(leaf))
    return judged(seen.staple, leaf, candidates, question.terms)


def _unknown_issuer(leaf: Certificate) -> str:
    urls = issuer_urls(leaf)
    where = f"; the certificate says it is at {urls[0]}, which is not fetched" if urls else ""
    return (
        "a staple came and cannot be judged: the issuer is not presented and is no known root"
        f" (name it with --issuer FILE{where})"
    )


def _presented(seen: Handshaken, question: Question) -> Presented | None:
    readable = [one for one in map(_readable, seen.chain) if one is not None]
    pem = b"".join(one.public_bytes(Encoding.PEM) for one in readable)
    if not pem or _readable(seen.leaf) is None:
        return None
    chain = read_chain(pem, PurePosixPath("presented"))
    if not isinstance(chain, Chain):
        return None
    trusted = trust(chain, question.roots, question.terms.now)
    untrusted = trusted.problem if isinstance(trusted, Untrusted) else None
    return Presented(chain, _kind(chain.leaf), order_problems(chain), untrusted)


def _kind(leaf: Certificate) -> str:
    key = leaf.public_key()
    if isinstance(key, RSAPublicKey):
        return Key.RSA.value
    return Key.ECDSA.value if isinstance(key, EllipticCurvePublicKey) else ""


def _readable(der: bytes) -> Certificate | None:
    try:
        return load_der_x509_certificate(der)
    except ValueError:
        return None
