"""Whether a chain file is in the order servers send it in: leaf first, each next the issuer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.pki.anatomy import title
from staplecfg.pki.issuance import issued_by

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cryptography.x509 import Certificate

    from staplecfg.model.chain import Chain


def order_problems(chain: Chain) -> tuple[str, ...]:
    """Return what is wrong with the order of the file of `chain`; empty where nothing is.

    TLS 1.2 clients may insist on it (RFC 5246, 7.4.2), TLS 1.3 ones should not.
    """
    return tuple(_problems((chain.leaf, *chain.others)))


def _problems(present: tuple[Certificate, ...]) -> Iterator[str]:
    leaf, *others = present
    yield from _duplicates(present)
    if any(issued_by(other, leaf) for other in others if other != leaf):
        yield f'"{title(leaf)}" comes first and issued another one: the leaf must come first'
        return
    distinct = tuple(dict.fromkeys(present))
    for position, certificate in enumerate(distinct[1:], start=1):
        if issued_by(certificate, certificate):
            yield f'"{title(certificate)}" is a root, which clients have already'
        elif _is_stranger(certificate, distinct):
            yield f'"{title(certificate)}" issued none of the others'
        if problem := _misplaced(certificate, distinct[:position], distinct):
            yield problem


def _duplicates(present: tuple[Certificate, ...]) -> Iterator[str]:
    for certificate in dict.fromkeys(present):
        if (times := present.count(certificate)) > 1:
            yield f'"{title(certificate)}" is in the file {times} times'


def _is_stranger(certificate: Certificate, present: tuple[Certificate, ...]) -> bool:
    return not any(issued_by(other, certificate) for other in present if other != certificate)


def _misplaced(
    certificate: Certificate, before: tuple[Certificate, ...], present: tuple[Certificate, ...]
) -> str | None:
    """Say that `certificate` issued some of `present`, but none of those `before` it."""
    if _is_stranger(certificate, present) or any(issued_by(one, certificate) for one in before):
        return None
    return f'"{title(certificate)}" comes before what it issued'
