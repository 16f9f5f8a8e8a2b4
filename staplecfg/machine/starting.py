"""A server that died, or must not be reloaded, is started again the way it had been started."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from staplecfg.machine import control, processes
from staplecfg.machine.listening import listening
from staplecfg.machine.run import run
from staplecfg.servers.interface import Command

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path, PurePosixPath


START_SECONDS = 120.0
"""5,000 virtual hosts take Apache 46 seconds (2.4.71)."""
STOP_SECONDS = 30.0
SUPERVISOR_SECONDS = 10.0
"""How long whoever supervises a server has to start it again before we do."""
_TICK = 0.05
_FOREGROUND = ("FOREGROUND", "NO_DETACH", "daemon off")


@dataclass(frozen=True, slots=True)
class Started:
    """The server runs as process `master`, and accepts."""

    master: int


@dataclass(frozen=True, slots=True)
class Found:
    """Somebody else has started it, as process `master`; with which configuration is not known."""

    master: int


@dataclass(frozen=True, slots=True)
class NotStarted:
    """It does not run; `reason` fits after a colon."""

    reason: str


StartResult: TypeAlias = "Started | Found | NotStarted"


@dataclass(frozen=True, slots=True)
class Ways:
    """How a server is started, and stopped.

    By the systemd service `unit` that owns it; else, where it is `watched_over`
    by somebody, that one starts it; else by the commands.
    """

    start: Command
    stop: Command
    unit: str | None = None
    watched_over: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Where a server is found once it runs: its pid file, and whose name its master bears."""

    pid_file: Path
    binary: PurePosixPath | None

    def master(self) -> int | None:
        """Return the process id of the master that runs, or None."""
        return control.running(self.pid_file, self.binary)

    def clear(self) -> None:
        """Take away the pid file of a master that is gone.

        Its number may be another's by now, or nobody has waited for it: Apache
        then says that it runs already, and does not start.
        """
        with contextlib.suppress(OSError):
            self.pid_file.unlink(missing_ok=True)


def supervised(master: int) -> bool:
    """Say whether `master` stays in the foreground, for somebody who watches over it."""
    process = processes.process(master)
    return process is not None and any(word in process.title for word in _FOREGROUND)


def start(place: Place, ways: Ways, *, former: Iterable[int] = ()) -> StartResult:
    """Start the server of `place`, which had ended, and wait until it accepts.

    `former` are the processes that accepted for it: nobody else can listen
    where they do, and they may close their sockets after their master is gone.
    """
    supervised = ways.watched_over and ways.unit is None
    found = _wait(place, SUPERVISOR_SECONDS) if supervised else None
    if found is not None or place.master() is not None:
        found = found or _wait(place, START_SECONDS)
        return NotStarted(_late()) if found is None else Found(found)
    command = ways.start
    if ways.unit is not None:
        # It may have failed too often by now for systemd to start it once more.
        run(("systemctl", "reset-failed", "--", ways.unit), timeout=START_SECONDS)
        command = Command(("systemctl", "start", "--", ways.unit))
    place.clear()
    _closed(former, STOP_SECONDS)
    completed = run(command.argv, timeout=START_SECONDS, more=command.environment)
    if completed.status not in command.good and place.master() is None:
        said = completed.output.strip() or "it gives no reason"
        return NotStarted(f"`{' '.join(command.words)}` failed: {said}")
    master = _wait(place, START_SECONDS)
    return NotStarted(_late()) if master is None else Started(master)


def restart(place: Place, master: int, ways: Ways) -> StartResult:
    """Stop the server of `place`, which runs as process `master`, and start it again.

    Nobody accepts in between. Connections under way end in peace, except where
    systemd or another supervisor waits for the process to be gone.
    """
    if ways.unit is not None:
        argv = ("systemctl", "restart", "--", ways.unit)
        completed = run(argv, timeout=START_SECONDS)
        if completed.status != 0:
            return NotStarted(f"`{' '.join(argv)}` failed: {completed.output.strip()}")
        again = _wait(place, START_SECONDS)
        return NotStarted(_late()) if again is None else Started(again)
    known = {master, *(child.pid for child in processes.children(master))}
    completed = run(ways.stop.argv, timeout=START_SECONDS, more=ways.stop.environment)
    if completed.status not in ways.stop.good:
        said = completed.output.strip()
        return NotStarted(f"`{' '.join(ways.stop.words)}` failed: {said}")
    known |= {child.pid for child in processes.children(master)}  # it may have forked meanwhile
    if not _closed(known, STOP_SECONDS):
        return NotStarted(f"it still accepts {STOP_SECONDS:g} seconds after it was told to stop")
    if ways.watched_over and control.alive(master):
        with contextlib.suppress(ProcessLookupError):
            os.kill(master, signal.SIGTERM)
    return start(place, ways)


def _closed(pids: Iterable[int], seconds: float) -> bool:
    """Wait until none of `pids` listens; they may live on for connections under way.

    Each is asked by itself: a master closes its sockets before its children do.
    """
    deadline = time.monotonic() + seconds
    left = set(pids)
    while left := {pid for pid in left if listening(pid)}:
        if time.monotonic() >= deadline:
            return False
        time.sleep(_TICK)
    return True


def _late() -> str:
    return f"it does not accept connections after {START_SECONDS:g} seconds"


def _wait(place: Place, seconds: float) -> int | None:
    """Return the master as soon as it has had a worker that accepts for a moment, or None."""
    deadline = time.monotonic() + seconds
    since: float | None = None
    while time.monotonic() < deadline:
        master = place.master()
        if master is None or not control.generation(master):
            since = None
        else:
            since = time.monotonic() if since is None else since
            if time.monotonic() - since >= control.SETTLED:
                return master
        time.sleep(_TICK)
    return None
