"""What would be asked of responders, told without asking: for a dry run, or for whoever asks.

A control node that has a network, say, on behalf of a host that has none: the
leaf and its issuer are all it takes to ask, and to judge.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from staplecfg.model.facts import Attempts, Stored
from staplecfg.pki import pem
from staplecfg.pki.in_common import in_common
from staplecfg.planning.wanted import wanted, wanted_together
from staplecfg.staples.fetch import responders_of, responders_of_all
from staplecfg.staples.schedule import Due, NotDue, due, impossible
from staplecfg.staples.together import worth_asking

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from staplecfg.model.chain import Chain
    from staplecfg.model.facts import Facts
    from staplecfg.model.plan import Goal
    from staplecfg.model.settings import Settings
    from staplecfg.servers.interface import Server
    from staplecfg.staples.schedule import Timing

DUE = "due"
TOGETHER = "one response about it and those beside it is wanted"


Standing: TypeAlias = "tuple[Chain, Stored, Attempts]"
"""One certificate, what is kept for it, and what asking has come to."""


def asking(facts: Facts, server: Server, goal: Goal) -> list[Mapping[str, object]]:
    """Return a row for each certificate that `goal` needs a staple of, due or not."""
    standing = [
        (
            chain,
            facts.stored.get(chain.fingerprint, Stored(None)),
            facts.attempts.get(chain.fingerprint, Attempts(chain.fingerprint)),
        )
        for chain in wanted(facts, server, goal)
    ]
    together = wanted_together(facts, server, goal)
    return rows_of(standing, together, facts.now, facts.settings)


def rows_of(
    standing: Sequence[Standing],
    together: Iterable[Sequence[Chain]],
    now: datetime,
    settings: Settings,
) -> list[Mapping[str, object]]:
    """Return a row for each of `standing`; each group of `together` needs one response."""
    known = {each[0].fingerprint: each for each in standing}
    groups = [[known[chain.fingerprint] for chain in group] for group in together]
    at_once = [[chain for chain, *_ in group] for group in groups if _at_once(group, now, settings)]
    return rows([(each[0], timing(*each, now, settings)) for each in standing], at_once)


def _at_once(group: Sequence[Standing], now: datetime, settings: Settings) -> bool:
    """Say whether a run would ask for one response about all of `group`.

    Where each has its own, only as long as it is not known that there is none: that is
    asked again now and then, but as a rule changes nothing.
    """
    timings = [timing(*each, now, settings) for each in group]
    if any(each.issuer is None for each, *_ in group) or any(map(impossible, timings)):
        return False
    if not responders_of_all([each for each, *_ in group], settings.responders):
        return False
    if any(isinstance(each, Due) for each in timings):
        return True
    attempts = [each for *_, each in group]
    return (
        all(each.alone_at is None for each in attempts)
        and worth_asking(attempts, now)
        and not in_common(
            [each for each, *_ in group],
            [each.staple for _, each, _ in group],
            now=now,
            floors=settings.floors,
            allow_sha1=settings.responders.allow_sha1_signature,
        )
    )


def timing(
    chain: Chain, stored: Stored, attempts: Attempts | None, now: datetime, settings: Settings
) -> Timing:
    """Say whether a run at `now` would ask about `chain`, had it a network."""
    if chain.responders and not responders_of(chain, settings.responders):
        return NotDue(None, "the settings say not to ask")
    return due(stored, attempts, chain, now, settings.floors)


def rows(
    timed: Iterable[tuple[Chain, Timing]], at_once: Iterable[Sequence[Chain]]
) -> list[Mapping[str, object]]:
    """Return the members of `renewals`; those of one group of `at_once` name each other."""
    group_of = {each.fingerprint: group for group in at_once for each in group}
    return [
        _row(chain, timing, _others(chain, group_of.get(chain.fingerprint, ())))
        for chain, timing in timed
    ]


def _others(chain: Chain, group: Sequence[Chain]) -> list[Chain]:
    return [each for each in group if each.fingerprint != chain.fingerprint]


def _row(chain: Chain, timing: Timing, beside: Sequence[Chain]) -> Mapping[str, object]:
    """Return one row; one that is due has what it takes to ask elsewhere."""
    is_due = isinstance(timing, Due)
    told = {
        "certificate": str(chain.path),
        "fingerprint": chain.fingerprint,
        "outcome": DUE if is_due or beside else "not-due",
        "detail": timing.why if is_due or not beside else TOGETHER,
    }
    if not (is_due or beside):
        return told
    issuer = () if chain.issuer is None else (chain.issuer,)
    told["chain"] = pem.written((chain.leaf, *issuer)).decode("ascii")
    if not beside:
        return told
    return {**told, "beside": [each.fingerprint for each in beside]}
