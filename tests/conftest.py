"""What holds for every test."""

from __future__ import annotations

import signal


def pytest_configure() -> None:
    """Undo what a shell does to what it runs in the background: interrupts would be ignored."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
