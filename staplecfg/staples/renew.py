"""Renew what is due: many certificates, few hosts, some of them dead.

Threads only talk to responders. What they bring back is stored, noted and
reported by the caller's thread alone, one result after the other, so an
interrupt finds no half-done work and nothing is lost that had arrived.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from dataclasses import replace as replaced
from typing import TYPE_CHECKING, TypeAlias

from staplecfg.model.facts import Attempts, Stored
from staplecfg.model.verdict import Good, Reason, Rejected, Unreachable
from staplecfg.staples.attempts import after_failure
from staplecfg.staples.crew import work_through
from staplecfg.staples.fetch import fetch, responders_of
from staplecfg.staples.hosts import Hosts
from staplecfg.staples.issuer import fetch_issuer, issuer_urls
from staplecfg.staples.schedule import Due, NotDue, due, never, next_try
from staplecfg.staples.store import Kept
from staplecfg.staples.url import BadUrl, parse_url

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


def renew(
    chains: Iterable[tuple[Chain, bool]],
    store: Store,
    *,
    clock: Callable[[], datetime],
    settings: Responders,
    floors: Floors,
    force: bool = False,
    progress: Callable[[Renewal], None] = lambda _: None,
) -> tuple[Renewal, ...]:
    """Ask about each of `chains` (with whether its root is private) that is due, or all if `force`.

    Returns one renewal for each, in their order; `progress` hears of each as it
    comes. A chain without its issuer comes back with it, where it could be had.
    Raises `NotApplied` where `store` cannot be written to.
    """
    run = _Run(store, clock, settings, floors)
    given = list(chains)
    unique = {chain.fingerprint: (chain, private) for chain, private in reversed(given)}
    jobs: list[_Job] = []
    for chain, private in unique.values():
        job_or_renewal = run.prepare(chain, private=private, force=force)
        if isinstance(job_or_renewal, _Job):
            jobs.append(job_or_renewal)
        else:
            run.report(job_or_renewal, progress)
    for job, result in run.ask_all(jobs):
        run.report(run.settle(job, result), progress)
    return tuple(
        replaced(done, chain=replaced(chain, issuer=done.chain.issuer))
        for chain, _ in given
        for done in (run.done[chain.fingerprint],)
    )


@dataclass(frozen=True, slots=True)
class _Job:
    """One certificate to ask about; `host` is whose queue it stands in."""

    chain: Chain
    private: bool
    stored: Stored
    host: str


@dataclass(frozen=True, slots=True)
class _Answer:
    chain: Chain
    result: FetchResult


class _Run:
    """One run of `renew`: what all of its steps need."""

    def __init__(
        self,
        store: Store,
        clock: Callable[[], datetime],
        settings: Responders,
        floors: Floors,
    ) -> None:
        self._store = store
        self._clock = clock
        self._settings = settings
        self._floors = floors
        self._hosts = Hosts(settings.per_certificate.total_seconds())
        self.done: dict[str, Renewal] = {}

    def prepare(self, chain: Chain, *, private: bool, force: bool) -> _Job | Renewal:
        """Return the job that `chain` makes, or its renewal where nothing is to be asked."""
        if chain.issuer is None:
            chain = replaced(chain, issuer=self._store.issuer(chain))
        now = self._clock()
        stored = self._store.load(chain, now)
        urls = responders_of(chain, self._settings)
        if not urls and chain.responders:
            return Renewal(chain, NotDue(None, "the settings say not to ask"), stored)
        timing = (
            (never(chain, now) or Due("asked for"))
            if force
            else due(stored, self._store.attempts(chain.fingerprint), chain, now, self._floors)
        )
        if isinstance(timing, NotDue):
            return Renewal(chain, timing, stored)
        return _Job(chain, private, stored, _host(urls[0]))

    def ask_all(self, jobs: Sequence[_Job]) -> Iterator[tuple[_Job, _Answer]]:
        """Ask about all of `jobs`, a few hosts at a time, and yield each answer as it comes."""
        queues: dict[str, list[_Job]] = defaultdict(list)
        for job in jobs:
            queues[job.host].append(job)
        return work_through(tuple(queues.values()), self._ask, parallel=self._settings.parallel)

    def settle(self, job: _Job, answer: _Answer) -> Renewal:
        """Store and note what `answer` says, and return it as a renewal."""
        chain, stored = answer.chain, job.stored
        result = self._unless_revoked(answer.result, chain)
        now = self._clock()
        if chain.issuer is not None and job.chain.issuer is None:
            self._store.save_issuer(chain, chain.issuer)
            stored = self._store.load(chain, now)
        outcome: Outcome = result
        if isinstance(result, Good):
            saving = self._store.save(result.staple, chain, now=now)
            outcome = saving if isinstance(saving, Kept) else result
            kept = saving.staple if isinstance(saving, Kept) else result.staple
            stored = Stored(kept)
        self._note(chain, result, stored, now)
        return Renewal(chain, outcome, stored)

    def report(self, renewal: Renewal, progress: Callable[[Renewal], None]) -> None:
        """Remember `renewal` and tell `progress`."""
        self.done[renewal.chain.fingerprint] = renewal
        progress(renewal)

    def _ask(self, job: _Job) -> _Answer:
        chain = job.chain
        if chain.issuer is None and issuer_urls(chain.leaf):
            issuer = fetch_issuer(
                chain.leaf,
                clock=self._clock,
                settings=self._settings,
                private=job.private,
                hosts=self._hosts,
            )
            if isinstance(issuer, Unreachable):
                problem = f"its issuer could not be had: {issuer.problem}"
                return _Answer(chain, replaced(issuer, problem=problem))
            chain = replaced(chain, issuer=issuer)
        result = fetch(
            chain,
            clock=self._clock,
            settings=self._settings,
            floors=self._floors,
            private=job.private,
            replaces=job.stored.staple,
            hosts=self._hosts,
        )
        return _Answer(chain, result)

    def _unless_revoked(self, result: FetchResult, chain: Chain) -> FetchResult:
        """Return `result`, or refuse a good answer that is older than one which said revoked.

        Caches go on handing out what was good, and so does whoever has the stolen key.
        """
        noted = self._store.attempts(chain.fingerprint)
        known = noted.revoked_as_of
        if known is None or not isinstance(result, Good) or result.staple.this_update > known:
            return result
        problem = (
            f"it is older than the answer that said revoked (got thisUpdate "
            f"{result.staple.this_update:%F %T}, expected one after {known:%F %T} UTC)"
        )
        return Rejected(Reason.OLDER, problem, step=12, revoked_at=noted.revoked_at)

    def _note(self, chain: Chain, result: FetchResult, stored: Stored, now: datetime) -> None:
        url = responders_of(chain, self._settings)[0]
        if isinstance(result, Good):
            noted = Attempts(chain.fingerprint, last_try=now, last_success=now, url=url)
        else:
            before = replaced(self._store.attempts(chain.fingerprint), url=url)
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


def _host(url: str) -> str:
    try:
        return parse_url(url).authority.lower()
    except BadUrl:  # it will fail at once, in a queue of its own
        return url
