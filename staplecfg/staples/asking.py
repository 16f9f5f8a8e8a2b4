"""What responders say of one job's certificates: all together, or each by itself.

Nothing is stored or noted here, so any number of threads may ask.
"""

from __future__ import annotations

from dataclasses import replace as replaced
from typing import TYPE_CHECKING

from staplecfg.model.verdict import Good, Rejected, Unreachable
from staplecfg.pki.in_common import in_common
from staplecfg.pki.judge import Purpose, judge
from staplecfg.staples.fetch import fetch
from staplecfg.staples.hosts import Hosts
from staplecfg.staples.issuer import fetch_issuer, issuer_urls
from staplecfg.staples.jobs import Answer, Job
from staplecfg.staples.schedule import Due
from staplecfg.staples.together import only_singly, passing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from staplecfg.model.chain import Chain
    from staplecfg.model.settings import Floors, Responders
    from staplecfg.model.staple import Staple
    from staplecfg.model.verdict import FetchResult


class Asking:
    """The asking of one run, in which what is learnt of a host counts for all jobs."""

    def __init__(self, clock: Callable[[], datetime], settings: Responders, floors: Floors) -> None:
        """Know nothing of any host yet."""
        self._clock = clock
        self._settings = settings
        self._floors = floors
        self._hosts = Hosts(settings.per_certificate.total_seconds())

    def ask(self, job: Job) -> Sequence[Answer]:
        """Return one answer for each certificate that `job` is about, in their order."""
        if not job.beside:
            return (self._ask_about(job),)
        together = self._fetched(job, beside=[other.chain for other in job.beside])
        if isinstance(together, Unreachable):
            return [Answer(each.chain, together) for each in job.every]
        if isinstance(together, Rejected):
            return self._each(job, together)
        judged = [self._judged(together, each.chain) for each in job.every]
        if all(isinstance(each, Good) for each in judged):
            answers = zip(job.every, judged, strict=True)
            return [Answer(each.chain, result, shared=True) for each, result in answers]
        return [self._ask_about(each) for each in job.every]

    def _each(self, job: Job, together: Rejected) -> Sequence[Answer]:
        """Ask about each by itself, as `together` came of asking about all.

        Not where that would gain nothing while the question may soon be answered: it
        is a failure then, to be tried again like any other.
        """
        if passing(together):
            held = bool(self.in_common(job.every))
            said = replaced(together, problem=f"asked about all at once: {together.problem}")
            return [
                self._ask_about(each)
                if isinstance(each.timing, Due) and not held
                else Answer(each.chain, said)
                for each in job.every
            ]
        answers = [self._ask_about(each) for each in job.every]
        alone = only_singly(together) and all(isinstance(each.result, Good) for each in answers)
        return [replaced(each, alone=alone) for each in answers]

    def in_common(self, group: Sequence[Job]) -> Sequence[Staple]:
        """Return what one current response that is kept says of each of `group`, or nothing."""
        return in_common(
            [each.chain for each in group],
            [each.stored.staple for each in group],
            now=self._clock(),
            floors=self._floors,
            allow_sha1=self._settings.allow_sha1_signature,
        )

    def _judged(self, together: Good, chain: Chain) -> Good | Rejected:
        """Return what the response that is good about all says of the leaf of `chain`."""
        if chain.issuer is None:
            return together
        return judge(
            together.staple.der,
            chain.leaf,
            chain.issuer,
            now=self._clock(),
            floors=self._floors,
            purpose=Purpose.NEW,
            allow_sha1=self._settings.allow_sha1_signature,
        )

    def _ask_about(self, job: Job) -> Answer:
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
                return Answer(chain, replaced(issuer, problem=problem))
            chain = replaced(chain, issuer=issuer)
        return Answer(chain, self._fetched(replaced(job, chain=chain)))

    def _fetched(self, job: Job, *, beside: Sequence[Chain] = ()) -> FetchResult:
        return fetch(
            job.chain,
            clock=self._clock,
            settings=self._settings,
            floors=self._floors,
            private=job.private,
            replaces=job.stored.staple,
            hosts=self._hosts,
            beside=beside,
        )
