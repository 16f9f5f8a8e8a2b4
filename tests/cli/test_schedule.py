"""The command line that a schedule repeats: the state directory, which remembers the rest."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import pytest

from staplecfg.cli.commands import apply, warm
from staplecfg.cli.options import given, settings
from staplecfg.cli.schedule import warm_command

FIRST = (sys.executable, "-I", "-m", "staplecfg", "warm")


def options(*words: str, command=apply) -> argparse.Namespace:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    command.add_arguments(parser)
    return parser.parse_args(words)


def repeated(*words: str) -> tuple[str, ...]:
    """Return what follows `warm` in the command that goes with `apply` and `words`."""
    parsed = options(*words)
    command = warm_command(parsed, given(parsed))
    assert command[:5] == FIRST
    return command[5:]


@pytest.mark.parametrize(
    "words",
    [
        pytest.param((), id="nothing"),
        pytest.param(("--site", "shop.example", "--unscheduled"), id="decisions about one run"),
        pytest.param(("--config", "/srv/nginx.conf", "--binary", "/srv/nginx"), id="the target's"),
        pytest.param(("--state-dir", "/var/lib/staplecfg"), id="the usual state directory"),
    ],
)
def test_what_state_remembers_is_not_repeated(words):
    assert repeated(*words) == ()


@pytest.mark.parametrize("directory", ["/srv/state", "/srv/with blank", "/-dash", "relative"])
def test_the_state_directory_comes_back_the_same(directory):
    words = repeated("--state-dir", directory)

    again = settings(options(*words, command=warm))

    assert str(again.state_dir) == str(Path(directory).absolute())
