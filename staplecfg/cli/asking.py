"""What would be asked of responders, told without asking: for a dry run, or for whoever asks.

A control node that has a network, say, on behalf of a host that has none: the
leaf and its issuer are all it takes to ask, and to judge.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.model.facts import Attempts, Stored
from staplecfg.pki import pem
from staplecfg.planning.wanted import wanted
from staplecfg.staples.fetch import responders_of
from staplecfg.staples.schedule import Due, NotDue, due

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from staplecfg.model.chain import Chain
    from staplecfg.model.facts import Facts
    from staplecfg.model.plan import Goal
    from staplecfg.model.settings import Settings
    from staplecfg.servers.interface import Server
    from staplecfg.staples.schedule import Timing

DUE = "due"


def asking(facts: Facts, server: Server, goal: Goal) -> list[Mapping[str, object]]:
    """Return a row for each certificate that `goal` needs a staple of, due or not."""
    return [
        row(
            chain,
            timing(
                chain,
                facts.stored.get(chain.fingerprint, Stored(None)),
                facts.attempts.get(chain.fingerprint, Attempts(chain.fingerprint)),
                facts.now,
                facts.settings,
            ),
        )
        for chain in wanted(facts, server, goal)
    ]


def timing(
    chain: Chain, stored: Stored, attempts: Attempts | None, now: datetime, settings: Settings
) -> Timing:
    """Say whether a run at `now` would ask about `chain`, had it a network."""
    if chain.responders and not responders_of(chain, settings.responders):
        return NotDue(None, "the settings say not to ask")
    return due(stored, attempts, chain, now, settings.floors)


def row(chain: Chain, timing: Timing) -> Mapping[str, object]:
    """Return one member of `renewals`; one that is due has what it takes to ask elsewhere."""
    told = {
        "certificate": str(chain.path),
        "fingerprint": chain.fingerprint,
        "outcome": DUE if isinstance(timing, Due) else "not-due",
        "detail": timing.why,
    }
    if not isinstance(timing, Due):
        return told
    issuer = () if chain.issuer is None else (chain.issuer,)
    return {**told, "chain": pem.written((chain.leaf, *issuer)).decode("ascii")}
