"""Renew what is due: many certificates, few hosts, some of them dead.

Threads only talk to responders (`asking`). What they bring back is stored, noted
and reported by the caller's thread alone, one result after the other, so an
interrupt finds no half-done work and nothing is lost that had arrived.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from dataclasses import replace as replaced
from datetime import timedelta
from typing import TYPE_CHECKING, TypeAlias

from staplecfg.model.facts import Attempts, Stored
from staplecfg.model.verdict import Good, Rejected, Unreachable
from staplecfg.staples.asking import Asking
from staplecfg.staples.attempts import after_failure
from staplecfg.staples.crew import work_through
from staplecfg.staples.fetch import responders_of, responders_of_all
from staplecfg.staples.jobs import Answer, Job, grouped, host_of, only_alone
from staplecfg.staples.revocation import after_revocation
from staplecfg.staples.schedule import Due, NotDue, due, never, next_try
from staplecfg.staples.store import Kept
from staplecfg.staples.together import SHARED_STAYS, worth_asking

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime

    from staplecfg.model.chain import Chain
    from staplecfg.model.settings import Floors, Responders
    from staplecfg.model.verdict import FetchResult
    from staplecfg.staples.store import Store

Outcome: TypeAlias = "Good | Kept | Rejected | Unreachable | NotDue"
"""Good: a new staple is in the store. Kept: the responder has nothing better than what is there."""


@dataclass(frozen=True, slots=True)
class Renewal:
    """What renewing came to for `chain`, and what the store holds of it now."""

    chain: Chain
    outcome: Outcome
    stored: Stored


def renew(  # noqa: PLR0913 - each keyword is a term a caller decides by name
    chains: Iterable[tuple[Chain, bool]],
    store: Store,
    *,
    clock: Callable[[], datetime],
    settings: Responders,
    floors: Floors,
    force: bool = False,
    margin: timedelta = timedelta(0),
    together: Iterable[Sequence[Chain]] = (),
    progress: Callable[[Renewal], None] = lambda _: None,
) -> tuple[Renewal, ...]:
    """Ask about each of `chains` (with whether its root is private) that is due, or all if `force`.

    Returns one renewal for each, in their order; `progress` hears of each as it
    comes. A chain without its issuer comes back with it, where it could be had.
    A staple is of no use any more `margin` before its end.
    For each group of `together`, whose chains are among `chains`, one response
    about all of it is asked for, and each alone where that is not to be had.
    Raises `NotApplied` where `store` cannot be written to.
    """
    run = _Run(store, clock, settings, floors, margin)
    given = list(chains)
    unique = {chain.fingerprint: (chain, private) for chain, private in reversed(given)}
    prepared = {
        fingerprint: run.prepare(chain, private=private, force=force)
        for fingerprint, (chain, private) in unique.items()
    }
    jobs: list[Job] = []
    for group in grouped(prepared, together):
        joint = run.joint(group)
        jobs += [joint] if joint else [job for job in group if isinstance(job.timing, Due)]
        for job in () if joint else group:
            if isinstance(job.timing, NotDue):
                run.report(Renewal(job.chain, job.timing, job.stored), progress)
    for job, answers in run.ask_all(jobs):
        for renewal in run.settle(job, answers):
            run.report(renewal, progress)
    return tuple(
        replaced(done, chain=replaced(chain, issuer=done.chain.issuer))
        for chain, _ in given
        for done in (run.done[chain.fingerprint],)
    )


class _Run:
    """One run of `renew`: what all of its steps need."""

    def __init__(
        self,
        store: Store,
        clock: Callable[[], datetime],
        settings: Responders,
        floors: Floors,
        margin: timedelta,
    ) -> None:
        self._store = store
        self._clock = clock
        self._settings = settings
        self._floors = floors
        self._margin = margin
        self._asking = Asking(clock, settings, floors)
        self.done: dict[str, Renewal] = {}

    def prepare(self, chain: Chain, *, private: bool, force: bool) -> Job:
        """Return the job that `chain` makes, with whether it is due."""
        if chain.issuer is None:
            chain = replaced(chain, issuer=self._store.issuer(chain))
        now = self._clock()
        stored = self._store.load(chain, now)
        if stored.staple is not None:
            self._store.remember(chain)
        urls = responders_of(chain, self._settings)
        if not urls and chain.responders:
            never_asked = NotDue(None, "the settings say not to ask")
            return Job(chain, private, stored, never_asked, "")
        tries = self._store.attempts(chain.fingerprint)
        timing = (
            (never(chain, now) or Due("asked for"))
            if force
            else due(stored, tries, chain, now, self._floors, margin=self._margin)
        )
        return Job(chain, private, stored, timing, host_of(urls[0]) if urls else "")

    def joint(self, group: Sequence[Job]) -> Job | None:
        """Return the one job that `group` makes, or None where each stands for itself."""
        if len(group) < 2 or any(only_alone(job) for job in group):  # noqa: PLR2004 - one is no group
            return None
        if not responders_of_all([job.chain for job in group], self._settings):
            return None
        now = self._clock()
        due_now = any(isinstance(job.timing, Due) for job in group)
        if not due_now:
            attempts = [self._store.attempts(job.chain.fingerprint) for job in group]
            if not worth_asking(attempts, now) or self._asking.in_common(group):
                return None
        return replaced(group[0], beside=tuple(group[1:]))

    def ask_all(self, jobs: Sequence[Job]) -> Iterator[tuple[Job, Sequence[Answer]]]:
        """Ask about all of `jobs`, a few hosts at a time, and yield each answer as it comes."""
        queues: dict[str, list[Job]] = defaultdict(list)
        for job in jobs:
            queues[job.host].append(job)
        return work_through(
            tuple(queues.values()), self._asking.ask, parallel=self._settings.parallel
        )

    def settle(self, job: Job, answers: Sequence[Answer]) -> Iterator[Renewal]:
        """Store and note what `answers` say, and yield the renewals of all that `job` is about."""
        kept = bool(job.beside) and bool(self._asking.in_common(job.every))
        for each, answer in zip(job.every, answers, strict=True):
            yield self._settled(each, answer, hold=kept and not answer.shared)

    def _settled(self, job: Job, answer: Answer, *, hold: bool) -> Renewal:
        """`hold` says that what is stored is better than any answer about the one alone."""
        chain, stored = answer.chain, job.stored
        result = after_revocation(answer.result, self._store.attempts(chain.fingerprint))
        now = self._clock()
        if chain.issuer is not None and job.chain.issuer is None:
            self._store.save_issuer(chain, chain.issuer)
            stored = self._store.load(chain, now)
        outcome: Outcome = result
        if isinstance(result, Good) and hold and stored.staple is not None:
            outcome = Kept(stored.staple, SHARED_STAYS)
        elif isinstance(result, Good):
            saving = self._store.save(result.staple, chain, now=now, shared=answer.shared)
            outcome = saving if isinstance(saving, Kept) else result
            kept = saving.staple if isinstance(saving, Kept) else result.staple
            stored = Stored(kept)
        self._note(answer, result, stored, now)
        return Renewal(chain, outcome, stored)

    def report(self, renewal: Renewal, progress: Callable[[Renewal], None]) -> None:
        """Remember `renewal` and tell `progress`."""
        self.done[renewal.chain.fingerprint] = renewal
        progress(renewal)

    def _note(self, answer: Answer, result: FetchResult, stored: Stored, now: datetime) -> None:
        chain = answer.chain
        earlier = None if answer.shared else self._store.attempts(chain.fingerprint).alone_at
        alone_at = now if answer.alone else earlier
        url = responders_of(chain, self._settings)[0]
        if isinstance(result, Good):
            noted = Attempts(
                chain.fingerprint, last_try=now, last_success=now, url=url, alone_at=alone_at
            )
        else:
            before = replaced(self._store.attempts(chain.fingerprint), url=url, alone_at=alone_at)
            wish = result.retry_after if isinstance(result, Unreachable) else None
            at = next_try(
                before.failures + 1,
                chain,
                now=now,
                floors=self._floors,
                wish=wish,
                staple=stored.staple,
            )
            noted = after_failure(before, result, now=now, next_try=at)
        self._store.record(noted)
