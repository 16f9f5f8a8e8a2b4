"""The one response that answers for several certificates, found under any of them.

Each leaf's answers are kept by themselves. Where two pairs have one certificate in
common, as they do from before a renewal until it is deployed, that one's newest
answer is about one pair and what is kept of its neighbour about the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.model.verdict import Good
from staplecfg.pki.judge import Purpose, judge

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from staplecfg.model.chain import Chain
    from staplecfg.model.settings import Floors
    from staplecfg.model.staple import Staple


def in_common(
    chains: Sequence[Chain],
    kept: Sequence[Staple | None],
    *,
    now: datetime,
    floors: Floors,
    allow_sha1: bool = False,
) -> tuple[Staple, ...]:
    """Return what the longest-lived current response about all of `chains` says of each.

    `kept` is what there is about each, judged. Nothing where none is about them all.
    """
    current = [staple for staple in kept if staple is not None and now < staple.expires]
    responses = {staple.der: staple for staple in current}
    if len(current) == len(chains) and len(responses) == 1:
        return tuple(current)
    for response in sorted(responses.values(), key=lambda each: each.expires, reverse=True):
        found: list[Staple] = []
        for chain in chains:
            if chain.issuer is None:
                return ()
            judgement = judge(
                response.der,
                chain.leaf,
                chain.issuer,
                now=now,
                floors=floors,
                purpose=Purpose.KEPT,
                allow_sha1=allow_sha1,
            )
            if not isinstance(judgement, Good) or now >= judgement.staple.expires:
                break
            found.append(judgement.staple)
        if len(found) == len(chains):
            return tuple(found)
    return ()
