"""The command line in processes of their own, forked from one that has imported it.

Importing takes longer than a run that has nothing to do, and hundreds of imports
would take the processor from everybody else.
"""

from __future__ import annotations

import multiprocessing
from typing import TYPE_CHECKING

from staplecfg.cli.commands import apply, warm
from tests.support.lab import Ended, run

if TYPE_CHECKING:
    from collections.abc import Sequence
    from multiprocessing.connection import Connection

PATIENCE = 120.0
"""Seconds after which a run is taken to hang."""

IMPORTED = (apply, warm)


def started(arguments: Sequence[str]) -> Ended:
    """Run the command line `arguments` in a new process and return how it ended."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    receiving, sending = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(sending, list(arguments)), daemon=True)
    process.start()
    sending.close()
    with receiving:
        if not receiving.poll(PATIENCE):
            process.kill()
            process.join()
            raise AssertionError(f"{' '.join(arguments)}: hangs")
        ended: Ended = receiving.recv()
    process.join()
    process.close()
    return ended


def _child(sending: Connection, arguments: Sequence[str]) -> None:
    with sending:
        sending.send(run(arguments))
