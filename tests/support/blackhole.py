"""A machine whose name server says nothing, as at boot before the network is there: a namespace.

    with blackhole(tmp_path) as run:
        waited, done = run(["nginx", "-t"])
    assert waited.questions == 0

Needs root and util-linux's `unshare`; `impossible` says why it cannot be done.
"""

from __future__ import annotations

import contextlib
import fcntl
import shutil
import socket
import struct
import subprocess
import sys
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    Run = Callable[[Sequence[str]], tuple["Waited", subprocess.CompletedProcess[str]]]

SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 0x1
CHECKOUT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Waited:
    """What a command cost: the questions it sent to the name server, and seconds in all."""

    questions: int
    seconds: float


@cache
def impossible() -> str | None:
    """Return why there can be no such namespace here, or None."""
    if shutil.which("unshare") is None:
        return "there is no unshare program"
    argv = ["unshare", "--net", "--mount", "true"]
    tried = subprocess.run(argv, capture_output=True, check=False)
    return None if tried.returncode == 0 else "namespaces cannot be made here"


@contextlib.contextmanager
def blackhole(directory: Path) -> Iterator[Run]:
    """Yield what runs a command where every question to DNS is counted and stays unanswered."""
    resolv = directory / "resolv.conf"
    resolv.write_text("nameserver 127.0.0.1\noptions attempts:1\n")

    def run(argv: Sequence[str]) -> tuple[Waited, subprocess.CompletedProcess[str]]:
        entered = ["unshare", "--net", "--mount", "--propagation", "private"]
        entered += [sys.executable, "-m", "tests.support.blackhole", str(resolv), *argv]
        done = subprocess.run(
            entered, cwd=CHECKOUT, capture_output=True, text=True, check=False, timeout=120
        )
        said, end, cost = done.stdout.rpartition("\x00")
        assert end, f"{argv} was not run: {done.stderr}"
        done.stdout = said
        questions, seconds = cost.split()
        return Waited(int(questions), float(seconds)), done

    yield run


def _inside(resolv: str, *argv: str) -> int:
    """Make the namespace deaf, then run `argv`; what it cost comes after a NUL at the very end."""
    subprocess.run(["mount", "--bind", resolv, "/etc/resolv.conf"], check=True)
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as loopback,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent,
    ):
        name = b"lo".ljust(16, b"\x00")
        (flags,) = struct.unpack("16xH14x", fcntl.ioctl(loopback, SIOCGIFFLAGS, name + bytes(16)))
        fcntl.ioctl(loopback, SIOCSIFFLAGS, struct.pack("16sH14x", name, flags | IFF_UP))
        # Bound and never answering: without it the kernel would refuse at once, by ICMP.
        silent.bind(("127.0.0.1", 53))
        began = time.monotonic()
        status = subprocess.run(argv, check=False).returncode
        seconds = time.monotonic() - began
        sys.stdout.write(f"\x00{_received(silent)} {seconds}")
    return status


def _received(door: socket.socket) -> int:
    """Return how many datagrams have come that nobody has read."""
    door.settimeout(0)
    count = 0
    with contextlib.suppress(BlockingIOError):
        while door.recv(4096):
            count += 1
    return count


if __name__ == "__main__":
    raise SystemExit(_inside(*sys.argv[1:]))
