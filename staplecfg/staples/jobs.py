"""What is to be asked: one certificate, or several that one response must be about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from staplecfg.staples.schedule import impossible
from staplecfg.staples.url import BadUrl, parse_url

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from staplecfg.model.chain import Chain
    from staplecfg.model.facts import Stored
    from staplecfg.model.verdict import FetchResult
    from staplecfg.staples.schedule import Timing


@dataclass(frozen=True, slots=True)
class Job:
    """One certificate that may be asked about; `host` is whose queue it stands in.

    `beside` are those to be asked about at once with it.
    """

    chain: Chain
    private: bool
    stored: Stored
    timing: Timing
    host: str
    beside: tuple[Job, ...] = ()

    @property
    def every(self) -> tuple[Job, ...]:
        """It and those beside it."""
        return (self, *self.beside)


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered about one; `shared` says: by a response about all of its group."""

    chain: Chain
    result: FetchResult
    shared: bool = False
    alone: bool = False
    """One about all was asked for in vain."""


def grouped(
    prepared: Mapping[str, Job], together: Iterable[Sequence[Chain]]
) -> Iterator[tuple[Job, ...]]:
    """Yield all of `prepared`, those of one group together."""
    left = dict(prepared)
    for group in together:
        found = [left.pop(chain.fingerprint, None) for chain in group]
        yield tuple(job for job in found if job is not None)
    yield from ((job,) for job in left.values())


def only_alone(job: Job) -> bool:
    """Say whether `job` can be asked about by itself only, or not at all."""
    return job.chain.issuer is None or impossible(job.timing)


def host_of(url: str) -> str:
    """Return the host and port of `url`, by which those who ask it are lined up."""
    try:
        return parse_url(url).authority.lower()
    except BadUrl:  # it will fail at once, in a queue of its own
        return url
