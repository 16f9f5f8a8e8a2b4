"""Dying, or failing, at every call that changes a disk: fault injection where the kernel begins.

The action runs in a forked child with real effects; only there are the functions
of `os` wrapped. Points are counted over all threads of the action, so a count is
the same from run to run only where one thread does the writing.
"""

from __future__ import annotations

import os
import pickle
import signal
import threading
import traceback
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

EFFECTS = (
    "chmod",
    "chown",
    "fchmod",
    "fchown",
    "fdatasync",
    "fsync",
    "ftruncate",
    "lchown",
    "link",
    "mkdir",
    "mkfifo",
    "mknod",
    "open",
    "pwrite",
    "removexattr",
    "rename",
    "replace",
    "rmdir",
    "setxattr",
    "symlink",
    "truncate",
    "unlink",
    "utime",
    "write",
    "writev",
)
"""Functions of `os` that change a disk; `open` counts where it may create or write."""

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC


@dataclass(frozen=True)
class Ended:
    """How the action ended: `killed` at its point, with an exception, or with `value`."""

    killed: bool
    points: int = 0
    """How many points were met."""
    names: tuple[str, ...] = ()
    """The calls met, in order."""
    value: object = None
    error: str | None = None
    """The exception's class and message."""
    trace: str = ""


NEUTRAL = frozenset({"fsync", "fdatasync"})
"""Calls that leave nothing different to who looks: dying there is dying at the next call."""


def count(action: Callable[[], object]) -> int:
    """Return at how many points `action` can be killed; it must end well when it is not."""
    return len(names(action))


def names(action: Callable[[], object]) -> tuple[str, ...]:
    """Return the calls at which `action` can be killed, in order; it must end well otherwise."""
    ended = _in_child(action, _Faults())
    assert not ended.killed, "the action was killed by somebody else"
    assert ended.error is None, f"the action fails by itself: {ended.error}\n{ended.trace}"
    return ended.names


def kill_at(n: int, action: Callable[[], object]) -> Ended:
    """Run `action` until its `n`-th point (from 1) and SIGKILL it there.

    It dies before the call, or, where that is a write, with half of it done.
    """
    return _in_child(action, _Faults(kill=n))


def fail_at(n: int, errno: int, action: Callable[[], object]) -> Ended:
    """Run `action`; its `n`-th point raises `OSError(errno)`, and nothing happens there."""
    return _in_child(action, _Faults(fail=n, errno=errno))


class _Faults:
    """The calls met so far, and what is to happen at one of them."""

    def __init__(self, *, kill: int = 0, fail: int = 0, errno: int = 0) -> None:
        self.names: list[str] = []
        self._kill = kill
        self._fail = fail
        self._errno = errno
        self._lock = threading.Lock()

    def install(self) -> None:
        """Wrap the functions of `os` for the rest of this process."""
        for name in EFFECTS:
            setattr(os, name, self._wrapped(name, getattr(os, name)))

    def _wrapped(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            if name == "open" and not _flags(args, kwargs) & WRITING:
                return real(*args, **kwargs)
            with self._lock:
                self.names.append(name)
                met = len(self.names)
                if met == self._kill:
                    if name == "write":
                        real(args[0], bytes(args[1])[: len(args[1]) // 2])
                    os.kill(os.getpid(), signal.SIGKILL)
            if met == self._fail:
                raise OSError(self._errno, os.strerror(self._errno))
            return real(*args, **kwargs)

        return call


def _flags(args: tuple[Any, ...], kwargs: dict[str, Any]) -> int:
    flags: int = args[1] if len(args) > 1 else kwargs["flags"]
    return flags


def _in_child(action: Callable[[], object], faults: _Faults) -> Ended:
    read_end, write_end = os.pipe()
    with warnings.catch_warnings():
        # From Python 3.12 on; a test's responder thread is not used in the child.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        os.close(read_end)
        _run(action, faults, write_end)
    os.close(write_end)
    with os.fdopen(read_end, "rb") as pipe:
        said = pipe.read()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL, f"died of signal {os.WTERMSIG(status)}"
        return Ended(killed=True)
    ended: Ended = pickle.loads(said)  # noqa: S301 - our own child wrote it
    return ended


def _run(action: Callable[[], object], faults: _Faults, report: int) -> None:
    """Run `action` in the child, report how it ended, and leave without pytest's farewells."""
    value: object = None
    error: str | None = None
    trace = ""
    write = os.write
    faults.install()
    try:
        value = action()
    except BaseException as raised:  # noqa: BLE001 - whatever it is, the parent is told
        error = f"{type(raised).__name__}: {raised}"
        trace = traceback.format_exc()
    try:
        names = tuple(faults.names)
        said = pickle.dumps(Ended(False, len(names), names, value, error, trace))  # noqa: FBT003 - the first field
    except Exception:  # noqa: BLE001 - a value that cannot travel: its shape will do
        said = pickle.dumps(Ended(False, len(faults.names), (), repr(value), error, trace))  # noqa: FBT003 - ditto
    rest = memoryview(said)
    while rest:
        rest = rest[write(report, rest) :]
    os._exit(0)
