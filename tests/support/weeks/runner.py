"""The command line in processes of their own, forked from one that has imported it.

Importing takes longer than a run that has nothing to do, and hundreds of imports
would take the processor from everybody else.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from staplecfg.cli.commands import apply, warm
from tests.support.command_line import Ended, run

if TYPE_CHECKING:
    from collections.abc import Sequence
    from multiprocessing.connection import Connection

PATIENCE = 120.0
"""Seconds after which a run is taken to hang."""

IMPORTED = (apply, warm)

SCHEDULER = Path("/proc/self/schedstat")
"""Nanoseconds on a processor and waiting for one, of the main thread (proc(5))."""


@dataclass(frozen=True)
class Finished:
    """How a run ended, and for how many `seconds` of it the machine kept it from working."""

    ended: Ended
    kept_waiting: float


def started(arguments: Sequence[str]) -> Finished:
    """Run the command line `arguments` in a new process and return how it ended."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    receiving, sending = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(sending, list(arguments)), daemon=True)
    asked = time.monotonic()
    process.start()
    sending.close()
    with receiving:
        if not receiving.poll(PATIENCE):
            process.kill()
            process.join()
            raise AssertionError(f"{' '.join(arguments)}: hangs")
        began, finished = receiving.recv()
    process.join()
    process.close()
    # Until it had begun at all, nothing of ours was at work.
    return Finished(finished.ended, finished.kept_waiting + began - asked)


def _child(sending: Connection, arguments: Sequence[str]) -> None:
    with sending:
        began = time.monotonic()
        ended = run(arguments)
        sending.send((began, Finished(ended, _kept_waiting())))


def _kept_waiting() -> float:
    """Return the seconds that this process was ready to run, and others were running instead.

    And as much for each second of processor time that its children had: servers that
    test a configuration. What sleeps, or waits for an answer, is not ready to run.
    """
    if not SCHEDULER.exists():
        return 0.0
    on_cpu, ready, _ = map(int, SCHEDULER.read_text("ascii").split())
    times = os.times()
    children = times.children_user + times.children_system
    return ready / 1e9 * (1 + children / max(on_cpu / 1e9, 0.01))
