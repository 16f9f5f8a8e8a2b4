"""A responder that writes down every good answer it gave, and every time it was out."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, final

from staplecfg.pki.asked import asked
from staplecfg.staples.answer import request_in
from tests.support.misbehaviour import replying
from tests.support.responder import Responder, close_at_once, error, never_answer, try_later
from tests.support.weeks.programme import LIFE, Outage

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

    from tests.support.authority import Authority, Issued
    from tests.support.responder import Call, Mode

MODES: dict[Outage, Mode] = {
    Outage.SILENT: never_answer,
    Outage.HUNG_UP: close_at_once,
    Outage.TRY_LATER: try_later,
    Outage.UNAVAILABLE: replying("503 Service Unavailable"),
}


@dataclass(frozen=True)
class Answer:
    """One good response about `serials`, given away at `at`; times in seconds since 1970."""

    at: float
    serials: frozenset[int]
    begins: float
    ends: float


@dataclass(frozen=True)
class Interval:
    """From `begins` to `ends`, in seconds since 1970."""

    begins: float
    ends: float


@dataclass(frozen=True)
class Age:
    """How old an answer is when it is given, and how long it lives, in seconds."""

    old: float = 0.0
    life: float = LIFE


@final
class Oracle:
    """Answers honestly about what it was told of, unless it is out. A context manager."""

    def __init__(self, authority: Authority) -> None:
        self.answers: list[Answer] = []
        self.outages: list[Interval] = []
        self._authority = authority
        self._known: dict[int, tuple[Issued, Age]] = {}
        self._responder = Responder(authority, mode=self._answer)
        self._out_since: float | None = None

    @property
    def url(self) -> str:
        """What belongs into the certificates' AIA."""
        return f"{self._responder.url}/"

    def tell(self, issued: Iterable[Issued], age: Age) -> None:
        """Answer about `issued` from now on, with answers of this `age`."""
        self._known |= {each.cert.serial_number: (each, age) for each in issued}

    def go(self, how: Outage) -> None:
        """Be of no use from now on."""
        self._out_since = time.time()
        if how is Outage.REFUSED:
            self._responder.stop()
        else:
            self._responder.mode = MODES[how]

    def come_back(self) -> None:
        """Answer again."""
        if self._out_since is None:
            return
        self.outages.append(Interval(self._out_since, time.time()))
        self._out_since = None
        if self._responder.stopped.is_set():
            self._responder = Responder(
                self._authority, mode=self._answer, port=self._responder.port
            )
            self._responder.__enter__()
        else:
            self._responder.mode = self._answer

    def _answer(self, call: Call) -> object:
        certids = asked(call.request.body or request_in(call.request.target.encode()))
        serials = [certid.serial for certid in certids]
        if not all(serial in self._known for serial in serials):
            return call.reply(error(6))
        (first, age), *others = (self._known[serial] for serial in serials)
        begins = datetime.now(timezone.utc).replace(microsecond=0) - timedelta(seconds=age.old)
        ends = begins + timedelta(seconds=age.life)
        also = [self._authority.single(other, now=begins) for other, _ in others]
        der = self._authority.respond(
            first,
            now=begins,
            produced_at=begins,
            this_update=begins,
            next_update=ends,
            also=[replace(each, this_update=begins, next_update=ends) for each in also],
        )
        answer = Answer(time.time(), frozenset(serials), begins.timestamp(), ends.timestamp())
        if call.reply(der):
            self.answers.append(answer)
        return None

    def __enter__(self) -> Oracle:
        self._responder.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._responder.stop()
