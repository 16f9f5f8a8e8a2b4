"""The command line, run in this process, and how that ended."""

from __future__ import annotations

import contextlib
import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from staplecfg.cli.main import main

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Ended:
    """How a run of the command line ended."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """The JSON document on standard output."""
        read: dict[str, Any] = json.loads(self.out)
        return read

    def __str__(self) -> str:
        return f"status {self.status}\n--- out\n{self.out}\n--- err\n{self.err}"


def run(arguments: Sequence[str]) -> Ended:
    """Run the command line `arguments` in this process and return how it ended."""
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="surrogateescape", newline="")
    err = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status = main(list(arguments))
        except SystemExit as ended:
            status = int(ended.code or 0)
    out.flush()
    out.seek(0)
    said = out.buffer.read()
    return Ended(status, said.decode("utf-8", "surrogateescape"), err.getvalue())
