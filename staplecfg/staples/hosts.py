"""What one run has learnt of each host, so that a dead one is not asked two thousand times."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from staplecfg.staples.address import resolve_by_system

if TYPE_CHECKING:
    from collections.abc import Iterator

    from staplecfg.staples.address import Resolve

MOST_SILENT = 3
"""Times in a row that a host may say nothing before it is left alone for this run."""


@dataclass(slots=True)
class _Host:
    """One host's record; `wasted` are seconds since it was last of use."""

    turn: threading.Lock = field(default_factory=threading.Lock)
    silent: int = 0
    wasted: float = 0.0
    problem: str = ""


class Visit:
    """One exchange with a host: whoever makes it says how it went."""

    def __init__(self) -> None:
        self.useful = False
        self.silent = False
        self.problem = ""


class Hosts:
    """The hosts of one run: their addresses, whose turn it is at each, which are past hope.

    One request at a time goes to each host; `patience` is how many seconds in
    a row a host may waste.
    """

    def __init__(self, patience: float, resolve: Resolve = resolve_by_system) -> None:
        """Know nothing yet; `resolve` is how names are looked up."""
        self.resolve = resolve
        self._patience = patience
        self._lock = threading.Lock()
        self._hosts: dict[str, _Host] = {}

    def given_up(self, host: str) -> str | None:
        """Say why `host` is not asked any more in this run, or None while it is."""
        record = self._host(host)
        if record.silent < MOST_SILENT and record.wasted <= self._patience:
            return None
        return f"not asked, because {host} has kept failing in this run: {record.problem}"

    @contextmanager
    def visit(self, host: str, seconds: float) -> Iterator[Visit]:
        """Take the turn at `host`; raises `TimeoutError` where that takes longer than `seconds`."""
        record = self._host(host)
        if not record.turn.acquire(timeout=seconds):
            raise TimeoutError(f"no turn at {host} within {seconds:.0f} s")
        started = time.monotonic()
        visit = Visit()
        try:
            yield visit
        finally:
            self._learn(record, visit, time.monotonic() - started)
            record.turn.release()

    def _learn(self, record: _Host, visit: Visit, seconds: float) -> None:
        record.problem = visit.problem
        record.silent = record.silent + 1 if visit.silent else 0
        record.wasted = 0.0 if visit.useful else record.wasted + seconds

    def _host(self, host: str) -> _Host:
        with self._lock:
            return self._hosts.setdefault(host.lower(), _Host())
