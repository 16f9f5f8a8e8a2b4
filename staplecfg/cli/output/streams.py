"""Standard output and standard error, which may be closed, full, or of a narrow encoding."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from pathlib import Path


class Unwritten(Exception):
    """Standard output took no more; `error` says why: nobody reads it (EPIPE), or no space."""

    def __init__(self, error: OSError) -> None:
        """Keep the system's refusal."""
        super().__init__(error.strerror)
        self.error = error


def prepare() -> None:
    r"""Make both streams there, and take every character: `\xNN` for what they cannot hold."""
    # Whoever starts us with `>&-` leaves None; the file keeps that number from being used again.
    if sys.stdout is None:
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - till the end
    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - till the end
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def write(words: str) -> None:
    """Write `words` to standard output; raises `Unwritten`."""
    try:
        sys.stdout.write(words)
        sys.stdout.flush()
    except OSError as error:
        raise Unwritten(error) from error


def write_bytes(data: bytes) -> None:
    """Write `data` to standard output as they are; raises `Unwritten`."""
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except OSError as error:
        raise Unwritten(error) from error


def give_up() -> None:
    """Drop what standard output still holds, which Python would complain of at the exit."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
