"""The command line that renews what this run sets up, for the schedule to hold."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from staplecfg.cli.options import settings
from staplecfg.model.settings import STATE_DIR

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping


def warm_command(options: argparse.Namespace, given: Mapping[str, object]) -> tuple[str, ...]:
    """Return the `warm` that goes with this run's `options`, whose flags are `given` by key.

    State remembers everything else. Isolated (`-I`), so that no directory a
    unit happens to start in is searched for modules.
    """
    state_dir = str(given.get("state_dir") or settings(options).state_dir)
    words = (sys.executable, "-I", "-m", "staplecfg", "warm")
    return words if state_dir == str(STATE_DIR) else (*words, f"--state-dir={state_dir}")
