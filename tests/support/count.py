"""Count what visitors get: full handshakes with status_request, and the staples judged.

counted = count(visitors, 240, now=now)
assert counted.flawless, counted

with Crowd(visitors) as crowd:      # handshakes without a pause, through an event
    nginx.reload()
assert crowd.counted.flawless
"""

from __future__ import annotations

import functools
import itertools
import operator
import threading
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from hashlib import sha256
from typing import TYPE_CHECKING, final

from cryptography.x509 import load_der_x509_certificate

from staplecfg.model.probe import Target, Tls
from staplecfg.model.settings import Floors
from staplecfg.model.verdict import Good
from staplecfg.pki.issuance import issuer_of
from staplecfg.pki.judge import Purpose, judge
from staplecfg.staples.handshake import Handshaken, Key, handshake

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from types import TracebackType

FLOORS = Floors()
TRY_LATER = b"\x30\x03\x0a\x01\x03"
"""What a server staples that has no answer and says so all the same (RFC 6960, 4.2.1)."""
TICK = timedelta(milliseconds=20)
"""How far a server's clock may lag behind: time(2) counts whole ticks of the kernel's."""

BREATH = 0.01
"""Seconds: what else goes on, on a machine with two processors, is to go on too."""


@dataclass(frozen=True)
class Visitor:
    """A client of one kind: where it goes, what it asks for, in which version."""

    target: Target
    name: str
    version: Tls
    key: Key | None = None
    """None: takes whichever certificate the server likes best."""


def visitors(port: int, names: Iterable[str]) -> list[Visitor]:
    """Return visitors of every site in both versions, the sites taking turns."""
    target = Target("127.0.0.1", port)
    return [Visitor(target, name, version) for version in Tls for name in names]


def of_both_keys(crowd: Iterable[Visitor]) -> list[Visitor]:
    """Return each of `crowd` once for the RSA and once for the ECDSA certificate, in turn."""
    return [replace(visitor, key=key) for visitor in crowd for key in (Key.RSA, Key.ECDSA)]


@dataclass
class Counted:
    """How many handshakes there were, and how many came without a staple or with a wrong one."""

    handshakes: int = 0
    unstapled: int = 0
    wrong: int = 0
    refused: int = 0
    problems: Counter[str] = field(default_factory=Counter)
    presented: set[str] = field(default_factory=set)
    """The SHA-256 of every leaf that was presented."""
    stapled: set[str] = field(default_factory=set)
    """The SHA-256 of every staple."""
    try_later: int = 0
    """How many of the wrong ones were a stapled `tryLater`."""
    slowest: float = 0.0
    """The seconds that the longest handshake took, from connecting to its end."""
    seconds: float = 0.0

    @property
    def flawless(self) -> bool:
        """Say whether every visitor was let in with a good staple."""
        return self.never_without and not self.refused

    @property
    def never_without(self) -> bool:
        """Say whether everybody who was let in at all had a good staple."""
        return self.handshakes > self.refused and not (self.unstapled or self.wrong)

    def add(self, visitor: Visitor, seen: str | None, problem: str = "") -> None:
        """Count one handshake; `seen` is what was wrong with it, None for nothing."""
        self.handshakes += 1
        if seen is not None:
            setattr(self, seen, getattr(self, seen) + 1)
            self.problems[f"{visitor.name} {visitor.version.value}: {problem or seen}"] += 1

    def of(self, name: str) -> Counter[str]:
        """Return what was wrong with handshakes for the site `name`, and how often."""
        return Counter({what: n for what, n in self.problems.items() if what.startswith(name)})

    def __add__(self, other: Counted) -> Counted:
        """Return both together, as if they had been counted at the same time."""
        return Counted(
            self.handshakes + other.handshakes,
            self.unstapled + other.unstapled,
            self.wrong + other.wrong,
            self.refused + other.refused,
            self.problems + other.problems,
            self.presented | other.presented,
            self.stapled | other.stapled,
            self.try_later + other.try_later,
            max(self.slowest, other.slowest),
            max(self.seconds, other.seconds),
        )

    @property
    def summary(self) -> str:
        """The numbers in words."""
        refused = f", {self.refused} refused" if self.refused else ""
        return f"{self.unstapled} unstapled, {self.wrong} wrong{refused} of {self.handshakes}"

    def __str__(self) -> str:
        return "; ".join([self.summary, *(f"{n} x {what}" for what, n in self.problems.items())])


def problem_of(seen: Handshaken, staple: bytes, began: datetime) -> str | None:
    """Return why a client would not accept the `staple` that came with `seen`, or None.

    It is judged as of the moment the handshake `began`: one that ended on the
    way to a client that is slow was none the less good when it was sent.
    """
    leaf, *above = map(load_der_x509_certificate, seen.chain)
    issuer = issuer_of(leaf, above)
    assert issuer is not None, "the laboratory's sites present their issuer"
    judgement = judge(staple, leaf, issuer, now=began, floors=FLOORS, purpose=Purpose.SERVED)
    return None if isinstance(judgement, Good) else judgement.problem


def count(crowd: Sequence[Visitor], handshakes: int, *, counted: Counted | None = None) -> Counted:
    """Make `handshakes` full handshakes one after the other, the visitors of `crowd` in turn."""
    counted = counted or Counted()
    began = time.monotonic()
    for visitor in itertools.islice(itertools.cycle(crowd), handshakes):
        visit(visitor, counted)
    counted.seconds += time.monotonic() - began
    return counted


def visit(visitor: Visitor, counted: Counted) -> None:
    """Make one handshake and count it."""
    began, moment = datetime.now(timezone.utc) - TICK, time.monotonic()
    seen = handshake(
        visitor.target, name=visitor.name, version=visitor.version, timeout=10, key=visitor.key
    )
    took = time.monotonic() - moment
    if not isinstance(seen, Handshaken):
        counted.add(visitor, "refused", seen.problem)
        return
    counted.slowest = max(counted.slowest, took)
    counted.presented.add(sha256(seen.leaf).hexdigest())
    if seen.staple is None:
        counted.add(visitor, "unstapled")
        return
    counted.stapled.add(sha256(seen.staple).hexdigest())
    counted.try_later += seen.staple == TRY_LATER
    problem = problem_of(seen, seen.staple, began)
    counted.add(visitor, None if problem is None else "wrong", problem or "")


@final
class Crowd:
    """Visitors without a pause in the background, from entering to leaving the context.

    `clients` of them come at the same time. Leaving waits until each has made
    its share of at least `least` handshakes, so that an event too quick to be
    noticed is met by visitors all the same, and until each visitor of `crowd` has
    come once more, so that one which was slow is followed by some. Several leave the
    machine some time to breathe: they come again `BREATH` seconds after they were served.
    """

    def __init__(self, crowd: Sequence[Visitor], *, least: int = 200, clients: int = 1) -> None:
        self._crowd = crowd
        self._least = least / clients
        self._afterwards = len(crowd)
        self._pause = BREATH if clients > 1 else 0.0
        self._over = threading.Event()
        self._failure: BaseException | None = None
        self._counts = [Counted() for _ in range(clients)]
        self._threads = [
            threading.Thread(target=self._come, args=(first, each), daemon=True)
            for first, each in enumerate(self._counts)
        ]

    @property
    def counted(self) -> Counted:
        """What all of them have counted; for when they have left."""
        return functools.reduce(operator.add, self._counts)

    def __enter__(self) -> Crowd:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            self._least = self._afterwards = 0
        self._over.set()
        late = time.monotonic() + 120
        for thread in self._threads:
            thread.join(max(0.0, late - time.monotonic()))
        if any(thread.is_alive() for thread in self._threads):
            self._least = self._afterwards = 0
            raise AssertionError("the crowd does not leave: hardly anybody was let in")
        if self._failure is not None and error is None:
            raise self._failure

    def _come(self, first: int, counted: Counted) -> None:
        began = time.monotonic()
        after = 0
        # Not all of them to the same site at once.
        crowd = itertools.islice(itertools.cycle(self._crowd), first, None)
        try:
            for visitor in crowd:
                let_in = counted.handshakes - counted.refused
                if self._over.is_set():
                    if let_in >= self._least and after >= self._afterwards:
                        break
                    after += 1
                visit(visitor, counted)
                time.sleep(self._pause)
        except BaseException as failure:  # noqa: BLE001 - raised again where the crowd is left
            self._failure = failure
        counted.seconds = time.monotonic() - began
