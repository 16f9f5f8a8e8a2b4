"""Which certificates a response somebody handed over is about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.model.errors import NotUnderstood
from staplecfg.pki.certid import identifies
from staplecfg.pki.envelope import basic_response
from staplecfg.pki.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from staplecfg.model.chain import Chain
    from staplecfg.pki.response import Single


def speaks_of(der: bytes, chains: Iterable[Chain]) -> tuple[Chain, ...]:
    """Return those of `chains` that `der` has an answer about, by CertID; nothing is judged yet.

    A chain whose issuer is not known is never among them. Raises
    `NotUnderstood` for what is no response, or one that is an error.
    """
    certids = [single.certid for single in _basic(der)]
    serials = {certid.serial for certid in certids}
    return tuple(
        chain
        for chain in chains
        if chain.serial in serials
        and chain.issuer is not None
        and any(identifies(certid, chain.leaf, chain.issuer) for certid in certids)
    )


def serials(der: bytes) -> tuple[int, ...]:
    """Return the serials that `der` has answers about; raises `NotUnderstood` as `speaks_of`."""
    return tuple(dict.fromkeys(single.certid.serial for single in _basic(der)))


def _basic(der: bytes) -> tuple[Single, ...]:
    try:
        return tuple(basic_response(der).singles)
    except Refusal as refusal:
        raise NotUnderstood(
            refusal.rejected.problem, hint="`staplecfg inspect FILE` shows what it is"
        ) from None
