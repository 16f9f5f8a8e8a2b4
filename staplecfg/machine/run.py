"""Commands: run to their end or not at all, never through a shell, never for ever.

What a command prints is read until the command itself has ended, not until its
pipe closes: a server that starts a daemon leaves it holding the pipe.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from staplecfg.machine.refusal import words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MOST_OUTPUT = 1024 * 1024
"""Bytes of output kept; what comes after is read and dropped, so that nobody blocks."""

_SYSTEM_DIRECTORIES = (
    "/usr/local/sbin",
    "/usr/local/bin",
    "/usr/sbin",
    "/usr/bin",
    "/sbin",
    "/bin",
)
"""Searched after PATH: cron's does not lead to where servers are."""
_TICK = 0.02


@dataclass(frozen=True, slots=True)
class Completed:
    """What came of a command.

    `argv` begins with the path that was run. `status` is the exit status,
    negative for a signal, or None where it did not run to its end; `output`
    (stdout and stderr, as they came) then ends in the reason, and `hint` says
    what to do.
    """

    argv: tuple[str, ...]
    status: int | None
    output: str
    hint: str | None = None


def run(
    argv: Sequence[str],
    *,
    timeout: float,
    more: Mapping[str, str] | None = None,
    errors: bool = True,
    most: int = MOST_OUTPUT,
) -> Completed:
    """Run the command `argv` in the C locale, with nothing to read, for up to `timeout` seconds.

    After that, it and everything it started in its process group is killed, as
    it is when we are interrupted. Never raises for what the command does.
    `more` is added to the environment. Without `errors`, what it says on stderr
    is dropped: it would come amid a line of what is to be read. At most `most`
    bytes of output are kept.
    """
    environment = {**_environment(), **(more or {})}
    found = shutil.which(argv[0], path=environment["PATH"])
    command = (found or argv[0], *argv[1:])
    read_end, write_end = os.pipe()
    try:
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=write_end,
                stderr=subprocess.STDOUT if errors else subprocess.DEVNULL,
                env=environment,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            return _not_started(command, error)
        finally:
            os.close(write_end)
        return _finish(process, read_end, command, timeout, most)
    finally:
        os.close(read_end)


def program(name: str) -> Path | None:
    """Return where `run` would find the program `name`, or None."""
    found = shutil.which(name, path=_environment()["PATH"])
    return None if found is None else Path(found)


def _finish(
    process: subprocess.Popen[bytes],
    read_end: int,
    command: tuple[str, ...],
    timeout: float,
    most: int,
) -> Completed:
    """Read what `process` prints until it ends or the time is over."""
    deadline = time.monotonic() + timeout
    output = bytearray()
    try:
        open_ = True
        while process.poll() is None:
            left = deadline - time.monotonic()
            if left <= 0:
                _kill(process)
                late = f"did not end within {timeout:g} seconds"
                return Completed(command, None, _joined(_text(output), late))
            if open_:
                open_ = _take(read_end, output, min(_TICK, left), most)
            else:
                time.sleep(min(_TICK, left))
    except BaseException:
        _kill(process)
        raise
    while _ready(read_end, 0) and _take(read_end, output, 0, most):
        if time.monotonic() > deadline:  # what it left running prints faster than we read
            break
    return Completed(command, process.returncode, _text(output))


def _take(read_end: int, output: bytearray, wait: float, most: int) -> bool:
    """Add what is there to `output`, waiting `wait` seconds for it; False at the end."""
    if not _ready(read_end, wait):
        return True
    piece = os.read(read_end, 65536)
    output += piece[: max(0, most - len(output))]
    return bool(piece)


def _ready(read_end: int, wait: float) -> bool:
    waiting = select.poll()  # select() takes no descriptor above 1023
    waiting.register(read_end, select.POLLIN)
    return bool(waiting.poll(wait * 1000))


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill `process` with its whole group, which bears its number."""
    if process.poll() is None:  # not yet reaped, so its number is nobody else's
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _environment() -> Mapping[str, str]:
    path = os.environ.get("PATH", "").split(os.pathsep)
    path += [directory for directory in _SYSTEM_DIRECTORIES if directory not in path]
    return {
        **os.environ,
        "LC_ALL": "C",
        "LANGUAGE": "",
        "PATH": os.pathsep.join(filter(None, path)),
    }


def _not_started(command: tuple[str, ...], error: OSError | ValueError) -> Completed:
    """Say why `command` could not be started at all."""
    if isinstance(error, FileNotFoundError):
        return Completed(
            command, None, f"{command[0]}: no such program", "install it, or name it by its path"
        )
    if isinstance(error, PermissionError):
        return Completed(
            command, None, f"{command[0]}: permission denied", "run as root, or `chmod +x` it"
        )
    said = words(error) if isinstance(error, OSError) else str(error)
    return Completed(command, None, f"{command[0]}: {said}")


def _text(output: bytearray) -> str:
    return output.decode("utf-8", "surrogateescape")


def _joined(said: str, reason: str) -> str:
    return f"{said.rstrip()}\n{reason}" if said.strip() else reason
