"""Visitors without a pause, in the background, who write down what they were handed."""

from __future__ import annotations

import itertools
import random
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from staplecfg.staples.handshake import Handshaken, handshake

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from tests.support.count import Visitor

BREATH = 0.02
"""Seconds between two handshakes: the machine has other things to do."""
TIMEOUT = 20.0


@dataclass(frozen=True)
class Visit:
    """One full handshake from `begins` to `ends` (seconds since 1970), and what came of it.

    `leaf` is the DER of the certificate, None where nobody was let in;
    `staple` is what came with it, None for none.
    """

    server: str
    visitor: Visitor
    begins: float
    ends: float
    leaf: bytes | None
    staple: bytes | None
    problem: str = ""


@final
class Stream:
    """Visitors of one server from entering the context to leaving it: `visits`."""

    def __init__(self, server: str, crowd: Sequence[Visitor], seed: int) -> None:
        self.visits: list[Visit] = []
        self._server = server
        self._crowd = list(crowd)
        # Always in one order, some kinds of visitors would only ever meet some of the workers.
        self._dice = random.Random(seed)
        self._over = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._come, daemon=True)
        self._same: dict[bytes, bytes] = {}

    def __enter__(self) -> Stream:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join(timeout=60)
        assert not self._thread.is_alive(), "the visitors do not leave"
        if self._failure is not None and error is None:
            raise self._failure

    def _come(self) -> None:
        try:
            for turn in itertools.count():
                if turn % len(self._crowd) == 0:
                    self._dice.shuffle(self._crowd)
                self.visits.append(self._visit(self._crowd[turn % len(self._crowd)]))
                if self._over.wait(BREATH):
                    return
        except BaseException as failure:  # noqa: BLE001 - raised again where the stream is left
            self._failure = failure

    def _visit(self, visitor: Visitor) -> Visit:
        begins = time.time()
        seen = handshake(
            visitor.target,
            name=visitor.name,
            version=visitor.version,
            timeout=TIMEOUT,
            key=visitor.key,
        )
        ends = time.time()
        if not isinstance(seen, Handshaken):
            return Visit(self._server, visitor, begins, ends, None, None, seen.problem)
        staple = None if seen.staple is None else self._once(seen.staple)
        problem = seen.problem or ""
        leaf = self._once(seen.leaf)
        return Visit(self._server, visitor, begins, ends, leaf, staple, problem)

    def _once(self, octets: bytes) -> bytes:
        """Return `octets`, always the same object: there are thousands of visits."""
        return self._same.setdefault(octets, octets)
