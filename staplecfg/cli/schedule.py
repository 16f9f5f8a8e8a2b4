"""The command line that renews what this run sets up, for the schedule to hold."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from staplecfg.cli.options import COMMANDS
from staplecfg.loading.settings import DEFAULT_FILE

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

FLAGS: Mapping[str, str] = {
    "server": "--server",
    "config": "--config",
    "binary": "--binary",
    "prefix": "--prefix",
    "state_dir": "--state-dir",
    "test_command": "--test-command",
    "reload_command": "--reload-command",
    "trust": "--trust",
    "template_dirs": "--template-dir",
    "delivery": "--delivery",
    "responders.allow_networks": "--allow-network",
    "responders.proxy": "--proxy",
}
"""What must be the same at every renewal; not the selection of sites, which state remembers."""


def warm_command(options: argparse.Namespace, given: Mapping[str, object]) -> tuple[str, ...]:
    """Return the `warm` that goes with this run's `options`, whose flags are `given` by key.

    Isolated (`-I`), so that no directory a unit happens to start in is searched
    for modules. Settings that came from a file are read from that file again.
    """
    words = [sys.executable, "-I", "-m", "staplecfg", "warm"]
    file = getattr(options, "settings", None)
    if file is not None and str(file) != str(DEFAULT_FILE):
        words += ["--settings", str(Path(file).absolute())]
    for key, flag in FLAGS.items():
        for each in _each(key, given.get(key)):
            # Separately, argparse would take a value that begins with a dash for a flag.
            words += [f"{flag}={each}"] if each.startswith("-") else [flag, each]
    return tuple(words)


def _each(key: str, value: object) -> list[str]:
    if value is None:
        return []
    several = [str(item) for item in value] if isinstance(value, list) else [str(value)]
    return [shlex.join(several)] if key in COMMANDS else several
