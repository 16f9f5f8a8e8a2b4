"""Standard output that is closed, full, or narrow: the work is done, and the ending says so."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.lab import Lab

if TYPE_CHECKING:
    from collections.abc import Mapping

pytestmark = pytest.mark.system

NAMES = ("shop.example", "blog.example")
CLOSED_PIPE = 141
"""As a shell has it for a program that SIGPIPE ended."""


@pytest.fixture
def lab(tmp_path):
    with Lab.make(tmp_path / "lab", sites=NAMES) as made:
        yield made


def shell(
    lab: Lab, tail: str, *words: str, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run staplecfg with `words` in bash, `tail` after it; the status is staplecfg's."""
    argv = [sys.executable, "-m", "staplecfg", *lab.arguments(*words)]
    return subprocess.run(
        ["bash", "-c", f'"$@" {tail}; exit ${{PIPESTATUS[0]}}', "bash", *argv],
        capture_output=True,
        text=True,
        errors="backslashreplace",
        check=False,
        env={**os.environ, **(env or {})},
        timeout=120,
    )


def test_a_reader_that_leaves_early_does_not_undo_what_is_under_way(lab):
    before = lab.files()
    lab.nginx.start()

    # `head -c0` is gone before the first step is told.
    ended = shell(lab, "| head -c0", "apply", "--unscheduled")

    assert ended.returncode in {0, CLOSED_PIPE}, ended
    assert "Traceback" not in ended.stderr
    assert "Exception ignored" not in ended.stderr
    assert lab.files() != before
    assert lab.cli("probe").status == 0
    assert not (lab.state / "journal").exists()


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(("check",), id="check"),
        pytest.param(("check", "--format", "json"), id="json"),
        pytest.param(("diff", "--unscheduled"), id="diff"),
    ],
)
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_leaves_is_no_reason_to_complain(lab, words, unbuffered):
    ended = shell(lab, "| true", *words, env={"PYTHONUNBUFFERED": unbuffered})

    assert ended.returncode in {CLOSED_PIPE, 0, 1}
    assert "Traceback" not in ended.stderr
    assert "Exception ignored" not in ended.stderr
    assert "bug" not in ended.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device")
def test_a_full_disk_under_standard_output_is_said(lab):
    ended = shell(lab, ">/dev/full", "check")

    assert ended.returncode == 3, ended
    assert ended.stderr.startswith("staplecfg: error: standard output: no space left on device")
    assert "Exception ignored" not in ended.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device")
def test_a_full_disk_under_standard_output_undoes_nothing(lab):
    lab.nginx.start()

    ended = shell(lab, ">/dev/full", "apply", "--unscheduled")

    assert ended.returncode == 3, ended
    assert "only this report of it is lost" in ended.stderr
    assert lab.cli("probe").status == 0


@pytest.mark.parametrize("tail", [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_closed_streams_keep_nothing_from_being_done(lab, tail):
    lab.nginx.start()

    ended = shell(lab, tail, "apply", "--unscheduled")

    assert ended.returncode == 0, ended
    assert "Traceback" not in ended.stderr
    assert lab.cli("probe").status == 0
    assert all(b"\x00" not in content for content in lab.files().values())


@pytest.mark.parametrize(
    "env",
    [
        pytest.param({"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}, id="LC_ALL=C"),
        pytest.param({"PYTHONIOENCODING": "ascii"}, id="ascii"),
        pytest.param({"PYTHONIOENCODING": "latin-1:strict"}, id="latin-1"),
    ],
)
def test_a_narrow_standard_output_shows_what_it_cannot_hold_as_escapes(lab, env):
    path = lab.nginx.prefix / "sites-available" / NAMES[0]
    path.write_text(path.read_text().replace("server_name ", 'server_name "büro-☃.example" '))
    lab.nginx.start()

    for words in (["check"], ["apply", "--unscheduled"], ["probe"], ["check", "--format", "json"]):
        ended = shell(lab, "", *words, env=env)
        assert "Traceback" not in ended.stderr
        assert ended.returncode == 0, ended
        assert "\\u2603" in ended.stdout or words[0] == "apply", ended
    shown = shell(lab, "", "diff", "--unscheduled", env=env)
    assert shown.returncode == 0, shown


def test_the_diff_is_bytes_whatever_the_encoding(lab):
    path = lab.nginx.prefix / "sites-available" / NAMES[0]
    path.write_bytes(
        path.read_bytes().replace(
            b"ssl_certificate_key", b"# caf\xe9 \xf0\n    ssl_certificate_key"
        )
    )
    argv = [sys.executable, "-m", "staplecfg", *lab.arguments("diff", "--unscheduled")]

    shown = subprocess.run(
        argv, capture_output=True, check=False, env={**os.environ, "PYTHONIOENCODING": "ascii"}
    )

    assert shown.returncode == 1, shown
    assert b"caf\xe9 \xf0\n" in shown.stdout
