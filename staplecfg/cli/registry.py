"""The commands, each with the line that `--help` shows; modules are imported when asked for."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from staplecfg.cli.output.result import Result

COMMANDS: Mapping[str, str] = {
    "check": "say what is wrong, at file:line",
    "diff": "show what apply would change (reads only)",
    "apply": "configure stapling, test, reload, probe; undo if it is worse",
    "remove": "take out what staplecfg put in",
    "warm": "renew staples that are due, withdraw the expired, reload once",
    "status": "how staples stand: age, due, last error; exit 1 when a person is needed",
    "probe": "shake hands with the sites, or any server, and judge what is stapled",
    "fetch": "fetch and judge one staple, no server needed",
    "inspect": "show a response and judge it",
    "serve": "answer from the store as a local responder",
    "explain": "a rule: what, why, how to fix",
}


class Command(Protocol):
    """What every module in `commands` holds."""

    EPILOG: str
    """The end of its help: an example to paste."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add its arguments to `parser`."""
        ...

    def run(self, options: argparse.Namespace) -> Result:
        """Do it; raises `StaplecfgError`."""
        ...


def command(name: str) -> Command:
    """Return the command `name`, a key of `COMMANDS`."""
    return cast("Command", importlib.import_module(f"staplecfg.cli.commands.{name}"))
