"""Work through several queues at once, each of them one piece after the other."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

Job = TypeVar("Job")
Result = TypeVar("Result")


def work_through(
    queues: Sequence[Sequence[Job]], work: Callable[[Job], Result], *, parallel: int
) -> Iterator[tuple[Job, Result]]:
    """Yield each job of `queues` with what `work` made of it, as they are done.

    At most `parallel` queues are worked on at a time. What `work` raises is
    raised here. The threads are daemons, and stop after the job in hand once
    the iterator is closed: an interrupt must not wait for the slowest.
    """
    crew = _Crew(queues, work)
    for number in range(min(max(1, parallel), len(queues))):
        threading.Thread(target=crew.work, name=f"fetch-{number}", daemon=True).start()
    try:
        for _ in range(sum(len(jobs) for jobs in queues)):
            job, result, error = crew.results.get()
            if error is not None:
                raise error
            yield job, result[0]
    finally:
        crew.stop.set()


class _Crew(Generic[Job, Result]):
    """What the threads share."""

    def __init__(self, queues: Sequence[Sequence[Job]], work: Callable[[Job], Result]) -> None:
        self._work = work
        self._queues: queue.SimpleQueue[Sequence[Job]] = queue.SimpleQueue()
        for jobs in queues:
            self._queues.put(jobs)
        self.results: queue.SimpleQueue[tuple[Job, list[Result], BaseException | None]] = (
            queue.SimpleQueue()
        )
        self.stop = threading.Event()

    def work(self) -> None:
        """Take one queue after the other until there are no more."""
        while True:
            try:
                jobs = self._queues.get_nowait()
            except queue.Empty:
                return
            for job in jobs:
                if self.stop.is_set():
                    return
                self._do(job)

    def _do(self, job: Job) -> None:
        try:
            self.results.put((job, [self._work(job)], None))
        except BaseException as error:  # noqa: BLE001 - raised again where the result is awaited
            self.results.put((job, [], error))
