"""The command line that a schedule repeats: parsed again, it means what the user's run meant."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import pytest

from staplecfg.cli.commands import apply, warm
from staplecfg.cli.options import given, settings
from staplecfg.cli.schedule import FLAGS, warm_command
from staplecfg.loading.settings import DEFAULT_FILE, KEYS

NOT_REPEATED = {
    "sites": "state remembers which sites are configured",
    "exclude": "state remembers which sites are configured",
    "root": "only of commands that read",
    "offline": "it is a schedule's work to ask",
    "replace": "a decision about one run",
    "force": "a decision about one run",
    "unscheduled": "a decision about one run",
}


def options(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    apply.add_arguments(parser)
    return parser.parse_args(words)


def repeated(*words: str) -> tuple[str, ...]:
    """Return what follows `warm` in the command that goes with `apply` and `words`."""
    parsed = options(*words)
    command = warm_command(parsed, given(parsed))
    assert command[:5] == (sys.executable, "-I", "-m", "staplecfg", "warm")
    return command[5:]


def reparsed(arguments: tuple[str, ...]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    warm.add_arguments(parser)
    return parser.parse_args(list(arguments))


TABLE = [
    pytest.param([], id="nothing"),
    pytest.param(["--server", "nginx"], id="server"),
    pytest.param(["--config", "/etc/other/nginx.conf"], id="config"),
    pytest.param(["--config", "relative.conf", "--prefix", "here"], id="relative paths"),
    pytest.param(["--binary", "/opt/my nginx/sbin/nginx"], id="a blank in a path"),
    pytest.param(["--prefix", "/srv/50% off/$HOME/'quoted'"], id="characters of shells and units"),
    pytest.param(["--state-dir", "/srv/state"], id="state"),
    pytest.param(["--test-command", "docker exec web nginx -t"], id="a command"),
    pytest.param(["--reload-command", "sh -c 'kill -HUP $(cat /run/x)'"], id="a command in quotes"),
    pytest.param(["--test-command=-odd"], id="a command that begins with a dash"),
    pytest.param(["--trust", "/a.pem", "--trust", "b.pem"], id="several"),
    pytest.param(["--template-dir", "/t1", "--template-dir", "t2"], id="templates"),
    pytest.param(["--delivery", "file"], id="delivery"),
    pytest.param(["--allow-network", "10.0.0.0/8", "--allow-network", "fd00::/8"], id="networks"),
    pytest.param(["--proxy", "http://proxy.example:3128"], id="proxy"),
]


WORDS: list[list[str]] = [list(case.values[0]) for case in TABLE]  # type: ignore[call-overload] # pytest types values as objects


@pytest.mark.parametrize("words", TABLE)
def test_the_command_parsed_again_gives_the_same_settings(words):
    again = reparsed(repeated(*words))

    assert settings(again) == settings(options(*words))
    # Once more changes nothing: a schedule set up by what the schedule runs is the same one.
    assert warm_command(again, given(again))[5:] == repeated(*words)


def test_all_of_them_together(tmp_path):
    file = tmp_path / "my settings.toml"
    file.write_text("exclude = ['x.example']\n[floors]\nskew = 7\n")
    words = ["--settings", str(file), *(word for each in WORDS for word in each)]

    assert settings(reparsed(repeated(*words))) == settings(options(*words))


def test_a_settings_file_is_named_by_its_whole_path_and_the_usual_one_not_at_all(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    Path("mine.toml").write_text("")

    assert repeated("--settings", "mine.toml") == ("--settings", str(tmp_path / "mine.toml"))
    assert repeated("--settings", str(DEFAULT_FILE)) == ()


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(["--site", "shop.*", "--exclude", "x"], id="which sites"),
        pytest.param(["--replace", "ssl_stapling", "--site", "x", "--force"], id="consent"),
        pytest.param(["--unscheduled", "--offline"], id="about this run"),
        pytest.param(["--dry-run", "--no-reload", "--config-only"], id="how far"),
    ],
)
def test_what_is_about_one_run_is_not_repeated(words):
    assert repeated(*words) == ()


def test_every_setting_with_a_flag_is_repeated_or_has_a_reason_not_to_be():
    flagged = {key for key in vars(options()) if key in KEYS}

    assert flagged == set(FLAGS) | (NOT_REPEATED.keys() & flagged)
