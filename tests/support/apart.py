"""A process that does nothing, in our network or in one of its own."""

from __future__ import annotations

import contextlib
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

APART = ("unshare", "--net", "--map-root-user")
TELLS = ("sh", "-c", "echo there; exec cat")

needs_networks = pytest.mark.skipif(
    subprocess.run([*APART, "true"], capture_output=True, check=False).returncode != 0,
    reason="this machine lets nobody make a network of its own",
)


@contextlib.contextmanager
def idle(before: Sequence[str] = ()) -> Iterator[int]:
    """Run one under the command line `before`, and say its process id."""
    argv = [*before, *TELLS]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"there\n"
        try:
            yield process.pid
        finally:
            process.communicate()
