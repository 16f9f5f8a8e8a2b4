"""Count what visitors get: full handshakes with status_request, and the staples judged.

counted = count(visitors, 240, now=now)
assert counted.flawless, counted

with Crowd(visitors) as crowd:      # handshakes without a pause, through an event
    nginx.reload()
assert crowd.counted.flawless
"""

from __future__ import annotations

import itertools
import threading
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
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
    seconds: float = 0.0

    @property
    def flawless(self) -> bool:
        """Say whether every visitor was let in with a good staple."""
        return self.handshakes > 0 and not (self.unstapled or self.wrong or self.refused)

    def add(self, visitor: Visitor, seen: str | None, problem: str = "") -> None:
        """Count one handshake; `seen` is what was wrong with it, None for nothing."""
        self.handshakes += 1
        if seen is not None:
            setattr(self, seen, getattr(self, seen) + 1)
            self.problems[f"{visitor.name} {visitor.version.value}: {problem or seen}"] += 1

    @property
    def summary(self) -> str:
        """The numbers in words."""
        refused = f", {self.refused} refused" if self.refused else ""
        return f"{self.unstapled} unstapled, {self.wrong} wrong{refused} of {self.handshakes}"

    def __str__(self) -> str:
        return "; ".join([self.summary, *(f"{n} x {what}" for what, n in self.problems.items())])


def problem_of(seen: Handshaken, staple: bytes) -> str | None:
    """Return why a client would not accept the `staple` that came with `seen`, or None."""
    leaf, *above = map(load_der_x509_certificate, seen.chain)
    issuer = issuer_of(leaf, above)
    assert issuer is not None, "the laboratory's sites present their issuer"
    now = datetime.now(timezone.utc)
    judgement = judge(staple, leaf, issuer, now=now, floors=FLOORS, purpose=Purpose.SERVED)
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
    seen = handshake(
        visitor.target, name=visitor.name, version=visitor.version, timeout=10, key=visitor.key
    )
    if not isinstance(seen, Handshaken):
        counted.add(visitor, "refused", seen.problem)
        return
    counted.presented.add(sha256(seen.leaf).hexdigest())
    if seen.staple is None:
        counted.add(visitor, "unstapled")
    else:
        problem = problem_of(seen, seen.staple)
        counted.add(visitor, None if problem is None else "wrong", problem or "")


@final
class Crowd:
    """Visitors without a pause in the background, from entering to leaving the context.

    Leaving waits until at least `least` handshakes were made, so that an event
    too quick to be noticed is followed by visitors all the same.
    """

    def __init__(self, crowd: Sequence[Visitor], *, least: int = 200) -> None:
        self.counted = Counted()
        self._crowd = crowd
        self._least = least
        self._over = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._come, daemon=True)

    def __enter__(self) -> Crowd:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            self._least = 0
        self._over.set()
        self._thread.join(timeout=120)
        assert not self._thread.is_alive(), "the crowd does not leave"
        if self._failure is not None and error is None:
            raise self._failure

    def _come(self) -> None:
        began = time.monotonic()
        try:
            for visitor in itertools.cycle(self._crowd):
                if self._over.is_set() and self.counted.handshakes >= self._least:
                    break
                visit(visitor, self.counted)
        except BaseException as failure:  # noqa: BLE001 - raised again where the crowd is left
            self._failure = failure
        self.counted.seconds = time.monotonic() - began
