"""serve: a local responder that answers from the store: judged answers, never expired ones."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

from staplecfg.cli.clock import clock
from staplecfg.cli.flow import refuse_elsewhere
from staplecfg.cli.options import add_flag, add_frame, add_listen, settings
from staplecfg.cli.output.result import Result
from staplecfg.cli.output.text import counted, say
from staplecfg.loading.observe import store_of
from staplecfg.machine.notify import notify, watchdog_seconds
from staplecfg.staples.serve import require_loopback, serve
from staplecfg.staples.shelf import Shelf

if TYPE_CHECKING:
    import argparse

    from staplecfg.model.settings import Endpoint

EPILOG = "example:  staplecfg serve --listen 127.0.0.1:889"

STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
BEATS = 3
"""How often a watchdog hears of us in the time it waits."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add where to listen."""
    group = parser.add_argument_group("responder")
    add_listen(group)
    group.add_argument(
        "--allow-remote",
        action="store_true",
        help="listen also where other machines can reach it",
    )
    group.add_argument("--settings", metavar="FILE", help="settings file (TOML)")
    add_flag(group, "state_dir", metavar="DIR", help="where staples are kept (/var/lib/staplecfg)")
    add_frame(parser)


def run(options: argparse.Namespace) -> Result:
    """Serve until told to stop (SIGTERM), then end in 0."""
    wanted = settings(options)
    refuse_elsewhere(wanted, "serve")
    listen = wanted.serve.listen
    if not options.allow_remote:
        require_loopback(listen)
    shelf = Shelf(store_of(wanted), floors=wanted.floors)
    asyncio.run(_served(shelf, listen))
    return Result(lines=("stopped",))


async def _served(shelf: Shelf, listen: Endpoint) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in STOPPING:
        loop.add_signal_handler(number, stop.set)
    beat = asyncio.create_task(_beat())
    try:
        await serve(shelf, listen, clock=clock, stop=stop, ready=lambda at: _ready(at, shelf))
    finally:
        notify("STOPPING=1")
        beat.cancel()
        for number in STOPPING:
            loop.remove_signal_handler(number)


def _ready(listen: Endpoint, shelf: Shelf) -> None:
    known = counted(len(shelf), "certificate")
    notify("READY=1", f"STATUS=answering for {known}")
    say(f"staplecfg: answering on http://{listen}/ for {known}")


async def _beat() -> None:
    """Tell the watchdog that the loop which answers still turns."""
    seconds = watchdog_seconds()
    while seconds is not None:
        notify("WATCHDOG=1")
        await asyncio.sleep(seconds / BEATS)
