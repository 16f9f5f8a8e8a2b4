"""SIGINT, SIGTERM and SIGHUP as an exception, once, so that what was begun is undone first."""

from __future__ import annotations

import contextlib
import signal
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(KeyboardInterrupt):
    """Someone wants us to stop: `name` is the signal's."""

    def __init__(self, number: int) -> None:
        """Say which signal it was by its `number`."""
        self.name = signal.Signals(number).name
        super().__init__(self.name)


class Interruptions:
    """What signals do while something is under way: `Interrupted` until `defer`, then nothing."""

    def __init__(self) -> None:
        """Begin by raising."""
        self.raising = True
        self.deferred: int | None = None

    def defer(self) -> None:
        """Raise no more: what comes now, undoing or ending, is not to be cut off."""
        self.raising = False

    def receive(self, number: int, _frame: FrameType | None) -> None:
        """Take a signal; the first one is raised, an impatient second one changes nothing."""
        if self.raising:
            self.raising = False
            raise Interrupted(number)
        self.deferred = number


@contextlib.contextmanager
def interruptions() -> Iterator[Interruptions]:
    """Turn signals into `Interrupted`; outside the main thread Python cannot, and nothing is done.

    A signal that came too late to be raised is delivered at the end, unless
    another one was raised. Ignored signals (nohup) stay ignored.
    """
    state = Interruptions()
    before = {}
    if threading.current_thread() is threading.main_thread():
        for number in _SIGNALS:
            handler = signal.getsignal(number)
            if handler not in {signal.SIG_IGN, None}:
                before[number] = handler
                signal.signal(number, state.receive)
    raised = False
    try:
        yield state
    except BaseException:
        raised = True
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if state.deferred is not None and not raised:
            signal.raise_signal(state.deferred)
