from __future__ import annotations

import threading
import time

import pytest

from staplecfg.staples.crew import work_through


def test_every_job_comes_back_with_what_became_of_it():
    done = dict(work_through([[1, 2], [], [3]], lambda job: job * 10, parallel=8))

    assert done == {1: 10, 2: 20, 3: 30}


def test_nothing_to_do_is_done_at_once():
    assert list(work_through([], str, parallel=4)) == []


def test_a_queue_is_worked_on_in_its_order_and_never_twice_at_a_time():
    lock, order = threading.Lock(), []

    def work(job: tuple[str, int]) -> None:
        assert lock.acquire(blocking=False)
        time.sleep(0.001)
        order.append(job[1])
        lock.release()

    list(work_through([[("a", n) for n in range(20)]], work, parallel=4))

    assert order == list(range(20))


@pytest.mark.parametrize("parallel", [1, 3])
def test_so_many_queues_are_worked_on_at_a_time_and_no_more(parallel):
    gate = threading.Barrier(parallel)
    running: list[int] = []
    most: list[int] = []
    lock = threading.Lock()

    def work(job: int) -> None:
        with lock:
            running.append(job)
            most.append(len(running))
        gate.wait(20)  # passes only where as many are here at once
        with lock:
            running.remove(job)

    list(work_through([[n] for n in range(6)], work, parallel=parallel))

    assert max(most) == parallel


def test_what_a_job_raises_is_raised_to_the_caller():
    def work(job: int) -> float:
        return 1 / job

    with pytest.raises(ZeroDivisionError):
        list(work_through([[0]], work, parallel=2))


def test_once_nobody_listens_no_further_job_is_begun():
    begun = []

    def work(job: int) -> None:
        begun.append(job)
        time.sleep(0.01)

    jobs = work_through([list(range(1000))], work, parallel=1)
    next(jobs)
    jobs.close()  # type: ignore[attr-defined]  # it is a generator
    at_close = len(begun)
    time.sleep(0.1)

    assert len(begun) <= at_close + 1
