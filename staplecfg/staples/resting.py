"""Which certificates nobody need be asked about, by what has been read already.

With a thousand certificates of which none is due, reading and judging every
staple once more is most of what a run would do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.staples.fetch import responders_of
from staplecfg.staples.renew import Renewal
from staplecfg.staples.schedule import NotDue, due

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import timedelta

    from staplecfg.model.chain import Chain
    from staplecfg.model.facts import Facts


def resting(
    chains: Iterable[Chain], facts: Facts, known: Collection[str], *, margin: timedelta
) -> dict[str, Renewal]:
    """Return the renewals of those of `chains` about which there is nothing to do, by fingerprint.

    As `renew` would have it, which looks for itself at all others: at what is due, and
    at what is not among the `known`, whose certificates stand beside their staples.
    """
    found: dict[str, Renewal] = {}
    for chain in chains:
        stored, attempts = facts.stored[chain.fingerprint], facts.attempts[chain.fingerprint]
        if stored.staple is None or chain.fingerprint not in known:
            continue
        if not responders_of(chain, facts.settings.responders):
            continue
        timing = due(stored, attempts, chain, facts.now, facts.settings.floors, margin=margin)
        if isinstance(timing, NotDue):
            found[chain.fingerprint] = Renewal(chain, timing, stored)
    return found
