"""`staplecfg serve` in a process of its own, which can be killed."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


class HasState(Protocol):
    """Whatever has a state directory to answer from."""

    @property
    def state(self) -> Path: ...


@contextlib.contextmanager
def serving(
    lab: HasState, port: int, env: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    """Run `staplecfg serve` on the laboratory's state, from when it listens."""
    argv = [
        *(sys.executable, "-m", "staplecfg", "serve", "--state-dir", str(lab.state)),
        *("--listen", f"127.0.0.1:{port}"),
    ]
    with subprocess.Popen(
        argv,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **(env or {})},
    ) as run:
        try:
            assert run.stderr is not None
            line = run.stderr.readline()
            assert "answering on" in line, line + run.stderr.read()
            yield run
        finally:
            run.kill()
