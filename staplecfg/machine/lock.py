"""One staplecfg at a time, and the others are told which one it is.

The kernel holds the lock (flock), so it ends with its holder however that one
dies, and what a dead holder left in the file is harmless. The file is never
deleted: whoever waits for it has it open, and would then hold a lock on a
nameless file while the next one locks a new file of the same name.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from staplecfg.machine.durable import refusing
from staplecfg.machine.refusal import place
from staplecfg.machine.replace import make_directories
from staplecfg.model.errors import Busy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

_FLAGS = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
_MODE = 0o600
"""Nobody else may open it: whoever can, can hold it for ever."""
_BETWEEN_TRIES = 0.1
_LONGEST = 4096


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds the lock, by their own account: `since` is an RFC 3339 time, UTC."""

    pid: int
    purpose: str
    since: str

    def __str__(self) -> str:
        return f"staplecfg {self.purpose} (pid {self.pid}, since {self.since})"


@contextlib.contextmanager
def hold(
    path: Path, *, purpose: str, wait: float, on_wait: Callable[[str], None]
) -> Iterator[None]:
    """Hold the lock `path` for `purpose` (`apply`); waits for it up to `wait` seconds.

    `on_wait` is told once who holds it, if it must be waited for. The lock does
    not go over to commands that are run under it. Raises `Busy`, with the
    holder's name, when the time is over, and `NotApplied` where the file cannot
    be had at all.
    """
    with refusing(path, "cannot be locked"):
        make_directories(path.parent)
        descriptor = os.open(path, _FLAGS, _MODE)
    try:
        with refusing(path, "cannot be locked"):
            _acquire(descriptor, path, wait, on_wait)
        _sign(descriptor, {"pid": os.getpid(), "purpose": purpose, "since": _now()})
        try:
            yield
        finally:
            _sign(descriptor, None)
    finally:
        os.close(descriptor)


def _acquire(descriptor: int, path: Path, wait: float, on_wait: Callable[[str], None]) -> None:
    """Lock `descriptor`; raises `Busy` after `wait` seconds."""
    deadline = time.monotonic() + wait
    told = False
    while not _try(descriptor):
        holder = _holder(descriptor)
        left = deadline - time.monotonic()
        if left <= 0:
            raise Busy(
                f"is locked by {holder}",
                at=place(path),
                hint="wait until it is done; the lock ends with that process",
            )
        if not told:
            on_wait(holder)
            told = True
        time.sleep(min(_BETWEEN_TRIES, left))


def _try(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _sign(descriptor: int, holder: Mapping[str, object] | None) -> None:
    """Write into the lock file who holds it, or nobody.

    A full disk is no reason to do without the lock: with it, space can be made.
    """
    with contextlib.suppress(OSError):
        os.ftruncate(descriptor, 0)
        if holder is not None:
            os.pwrite(descriptor, json.dumps(holder).encode(), 0)


def _now() -> str:
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _holder(descriptor: int) -> str:
    """Return who holds the lock: by name if they have signed, which comes a moment later."""
    try:
        said = json.loads(os.pread(descriptor, _LONGEST, 0))
        return str(Holder(int(said["pid"]), str(said["purpose"]), str(said["since"])))
    except (ValueError, KeyError, TypeError):
        return "another staplecfg"
