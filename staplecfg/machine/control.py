"""A server's processes and commands: is it alive, does it accept, did the reload take."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from staplecfg.machine import processes
from staplecfg.machine.listening import listening, sockets
from staplecfg.machine.run import run
from staplecfg.model.errors import ServerRefused

if TYPE_CHECKING:
    from pathlib import PurePosixPath

    from staplecfg.machine.run import Completed
    from staplecfg.servers.interface import Command

TEST_SECONDS = 300.0
"""nginx asks DNS while it tests: a blackholed resolver costs seconds per server block."""
RELOAD_SECONDS = 300.0
SETTLED = 0.2
"""Seconds for which a new worker must stay. Apache's master starts a worker more whenever many
visitors come; told to finish, it closes its sockets within milliseconds (2.4.71)."""
_TICK = 0.02

_CRON_TABLES = "etc/cron.d"
_CRONS = ("usr/sbin/cron", "usr/sbin/crond", "usr/bin/cron", "usr/bin/crond")


@dataclass(frozen=True, slots=True)
class Reloaded:
    """`workers` accept now, and none of those from before does."""

    workers: frozenset[int]


@dataclass(frozen=True, slots=True)
class NotReloaded:
    """The server serves what it served before, or it cannot be told; `reason` says which."""

    reason: str


@dataclass(frozen=True, slots=True)
class Died:
    """The master process is gone: nobody accepts any more. `reason` says which it was."""

    reason: str


ReloadResult: TypeAlias = "Reloaded | NotReloaded | Died"


def test(command: Command) -> Completed:
    """Run the server's own `command` for testing its configuration, and return what it said.

    Raises `ServerRefused`, with its words whole, where it says no or says nothing.
    """
    return _demand(command, TEST_SECONDS, "the server rejects its configuration")


def reload(command: Command) -> Completed:
    """Run the server's own `command` for re-reading its configuration.

    Raises `ServerRefused` as `test` does. That it returns proves little: see
    `wait_reloaded`.
    """
    return _demand(command, RELOAD_SECONDS, "the server could not be reloaded")


def running(pid_file: Path, binary: PurePosixPath | None = None) -> int | None:
    """Return the master process that `pid_file` names, if it lives and is a server's.

    Process ids are used again: it must bear the name of `binary`, or, where
    that is not known, call itself a master process, as nginx does.
    """
    try:
        said = pid_file.read_text("ascii").strip()
    except (OSError, ValueError):
        return None
    if not said.isdecimal() or int(said) <= 1:
        return None
    process = processes.process(int(said))
    if process is None:
        return None
    if binary is None:
        return process.pid if process.is_master else None
    here = Path(binary)
    return process.pid if process.names & {here.name, here.resolve().name} else None


def owner_unit(pid: int) -> str | None:
    """Return the systemd service of the system that owns process `pid`, or None.

    A server started by hand, in a container or from somebody's session has
    none; nor has one that a service merely started on its way: where systemd
    knows another main process, the unit is not the server's.
    """
    unit = processes.unit_in(processes.cgroups(pid))
    if unit is None or not systemd_booted():
        return None
    asked = run(("systemctl", "show", "--property=MainPID", "--value", "--", unit), timeout=10)
    return unit if asked.status == 0 and asked.output.strip() == str(pid) else None


def generation(master: int) -> frozenset[int]:
    """Return the worker processes of `master` that accept connections.

    nginx's say so in their titles. Apache's have none: those that accept hold
    the sockets at which their master listens, and close them when they are told
    to finish what they have begun, which may take them hours.
    """
    children = tuple(processes.children(master))
    accepting = {child.pid for child in children if child.titled and child.accepts}
    untitled = [child for child in children if not child.titled]
    if untitled:
        doors = listening(master)
        accepting |= {child.pid for child in untitled if _holds(child.pid, doors)}
    return frozenset(accepting)


def alive(master: int) -> bool:
    """Say whether process `master` lives."""
    return processes.process(master) is not None


def wait_reloaded(master: int, before: frozenset[int], timeout: float) -> ReloadResult:
    """Wait up to `timeout` seconds until `master` has new workers, and none of `before` accepts.

    A reload that the server refuses leaves the same workers, and every command
    that asked for it has said yes. Workers that have just come are watched for a
    moment: one that was started behind our back before the reload goes again.
    """
    deadline = time.monotonic() + timeout
    since: dict[int, float] = {}
    while True:
        workers = generation(master)
        now = time.monotonic()
        new = () if workers & before else workers
        since = {pid: since.get(pid, now) for pid in new}
        if any(now - first >= SETTLED for first in since.values()):
            return Reloaded(workers)
        if not workers and not alive(master):
            return Died(f"the master process (pid {master}) is gone")
        if now >= deadline:
            return NotReloaded(_why(workers, before, timeout))
        time.sleep(_TICK)


def systemd_booted() -> bool:
    """Say whether this machine was booted with systemd, as sd_booted(3) does."""
    return Path("/run/systemd/system").is_dir()


def cron_installed(root: Path = Path("/")) -> bool:
    """Say whether a cron that reads /etc/cron.d is installed; BusyBox's reads only crontabs."""
    daemons = (root / path for path in _CRONS)
    return (root / _CRON_TABLES).is_dir() and any(
        daemon.is_file() and daemon.resolve().name != "busybox" for daemon in daemons
    )


def _holds(pid: int, doors: frozenset[str] | None) -> bool:
    held = sockets(pid)
    return held is None or doors is None or bool(held & doors)


def _why(workers: frozenset[int], before: frozenset[int], timeout: float) -> str:
    if not workers:
        return f"no worker process accepts connections after {timeout:g} seconds"
    if workers == before:
        return (
            f"the same worker processes serve after {timeout:g} seconds: "
            "the server has refused the configuration, and its error log says why"
        )
    return f"worker processes from before the reload still accept after {timeout:g} seconds"


def _demand(command: Command, timeout: float, otherwise: str) -> Completed:
    """Run `command`; raises `ServerRefused`, which begins with `otherwise`."""
    completed = run(command.argv, timeout=timeout, more=command.environment)
    if completed.status in command.good:
        return completed
    how = _how(completed.status)
    said = "\n".join(f"    {line}" for line in completed.output.strip().splitlines())
    problem = f"{otherwise}: `{' '.join(command.argv)}` {how}"
    raise ServerRefused(f"{problem}:\n{said}" if said else problem, hint=completed.hint)


def _how(status: int | None) -> str:
    if status is None:
        return "did not run to its end"
    return f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
