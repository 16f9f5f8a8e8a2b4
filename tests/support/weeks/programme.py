"""What happens when: drawn from a seed, so that what went wrong can be played again."""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LIFE = 45.0
"""Seconds that a staple lives: what a public authority's does in a week."""


class Outage(Enum):
    """How a responder can be of no use."""

    REFUSED = "connection refused"
    SILENT = "takes the request and says nothing"
    HUNG_UP = "hangs up"
    TRY_LATER = "tryLater"
    UNAVAILABLE = "HTTP 503"


class Way(Enum):
    """How a new certificate is put in the place of the old one."""

    AHEAD = "warm --certificate, swap, warm --offline, reload"
    WARM = "swap, warm"
    FOREIGN = "warm --certificate, swap, reload"


@dataclass(frozen=True)
class Out:
    """The responder is of no use for `seconds`."""

    at: float
    seconds: float
    how: Outage

    def __str__(self) -> str:
        return f"the responder is out for {self.seconds:.0f} s: {self.how.value}"


@dataclass(frozen=True)
class Reload:
    """Somebody reloads `server`: a log was rotated, another site was added."""

    at: float
    server: str

    def __str__(self) -> str:
        return f"{self.server}: reload"


@dataclass(frozen=True)
class Swap:
    """All certificates of `site` are renewed."""

    at: float
    server: str
    site: str
    way: Way

    def __str__(self) -> str:
        return f"{self.server}: {self.site} renewed: {self.way.value}"


Event: TypeAlias = "Out | Reload | Swap"


@dataclass(frozen=True)
class Stage:
    """A server that things can happen to, and the ways its certificates are swapped."""

    server: str
    sites: tuple[str, ...]
    ways: tuple[Way, ...]


def programme(seed: int, seconds: float, stages: Sequence[Stage]) -> tuple[Event, ...]:
    """Return what happens within `seconds`, in order of time, counted from the beginning."""
    dice = random.Random(seed)
    events: list[Event] = [*_outages(dice, seconds), *_reloads(dice, seconds, stages)]
    events += _swaps(dice, seconds, stages)
    return tuple(sorted(events, key=lambda event: event.at))


def _outages(dice: random.Random, seconds: float) -> Iterator[Out]:
    """Yield outages up to a good while before the end; one of the first two outlives a staple."""
    now = LIFE * dice.uniform(0.05, 0.3)
    shorter = dice.randrange(2)
    while True:
        if shorter:
            length = LIFE * dice.uniform(0.03, 0.4)
            shorter -= 1
        else:
            length = LIFE * dice.uniform(1.02, 1.2)
            shorter = dice.randrange(1, 4)
        if now + length > seconds - LIFE / 2:
            return
        yield Out(now, length, dice.choice(list(Outage)))
        now += length + LIFE * dice.uniform(0.15, 0.5)


def _reloads(dice: random.Random, seconds: float, stages: Sequence[Stage]) -> Iterator[Reload]:
    now = 0.0
    while (now := now + dice.expovariate(1 / 5)) < seconds:
        yield Reload(now, dice.choice(stages).server)


def _swaps(dice: random.Random, seconds: float, stages: Sequence[Stage]) -> Iterator[Swap]:
    now = 0.0
    while (now := now + dice.expovariate(1 / 8)) < seconds:
        stage = dice.choice(stages)
        yield Swap(now, stage.server, dice.choice(stage.sites), dice.choice(stage.ways))
