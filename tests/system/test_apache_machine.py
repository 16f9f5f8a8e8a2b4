"""apply, remove and warm on a real Apache: whatever happens, a server runs by what is on disk."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from staplecfg.model.errors import ExitStatus
from tests.support.apache_lab import ApacheLab
from tests.support.command_line import run
from tests.support.serve_process import serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.system

FATAL = "Listen 192.0.2.1:1"
"""-t accepts it, and a graceful restart is the end: the address is nobody's here (RFC 5737)."""


@pytest.fixture(params=[False, True], ids=["plain", "Debian's tree"])
def lab(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ApacheLab]:
    with ApacheLab.make(tmp_path, stock=request.param) as lab:
        lab.apache.start()
        yield lab


def with_fatal_template(lab: ApacheLab) -> str:
    """Return a template directory by which apply writes what Apache dies of."""
    directory = lab.root / "templates" / "apache" / "responder"
    directory.mkdir(parents=True)
    text = f"SSLStaplingCache shmcb:staplecfg(131072)\n{FATAL}\n"
    (directory / "global.conf.j2").write_text(text, encoding="utf-8")
    return str(lab.root / "templates")


def steps(out: str) -> list[str]:
    return [line.split()[0] for line in out.splitlines() if line.split()]


def test_apply_reloads_the_master_that_runs_and_a_second_one_does_nothing(lab: ApacheLab):
    master = lab.apache.master

    done = lab.apply()
    files = lab.files()
    again = lab.apply()

    assert done.status == ExitStatus.DONE, done
    assert "reloaded" in steps(done.out)
    assert lab.apache.master == master
    assert "nothing to do" in again.out
    assert lab.files() == files


def test_remove_restores_the_bytes_and_leaves_a_server_that_survives_every_reload(lab: ApacheLab):
    found = lab.files()
    assert lab.apply().status == ExitStatus.DONE

    done = lab.cli("remove")

    assert done.status == ExitStatus.DONE, done
    assert "restarted" in steps(done.out)
    assert lab.files() == found
    for _ in range(3):
        lab.apache.graceful()


def test_remove_without_a_reload_is_refused_where_the_next_one_would_be_the_end(lab: ApacheLab):
    assert lab.apply().status == ExitStatus.DONE
    applied, master = lab.files(), lab.apache.master

    done = lab.cli("remove", "--no-reload")

    assert done.status == ExitStatus.NOT_APPLIED, done
    assert "SSLStaplingCache" in done.err
    assert lab.files() == applied
    assert lab.apache.master == master


def test_remove_from_a_stopped_server_only_writes(lab: ApacheLab):
    found = lab.files()
    assert lab.apply().status == ExitStatus.DONE
    lab.apache.stop()

    done = lab.cli("remove")

    assert done.status == ExitStatus.DONE, done
    assert lab.files() == found
    assert lab.apache.master is None


def test_a_configuration_that_passes_the_test_and_is_fatal_leaves_the_old_one_running(
    lab: ApacheLab,
):
    found, master = lab.files(), lab.apache.master

    done = lab.apply("--template-dir", with_fatal_template(lab))

    assert done.status == ExitStatus.NOT_APPLIED, done
    assert "ended of its new configuration" in done.err
    assert "restored" in done.err
    assert "started again" in done.err
    assert lab.files() == found
    assert lab.apache.master not in {None, master}
    assert lab.apache.accepting()
    assert lab.cli("probe", "--format", "json").document["sites"]


def test_what_comes_after_it_works_as_if_nothing_had_been(lab: ApacheLab):
    assert lab.apply("--template-dir", with_fatal_template(lab)).status == ExitStatus.NOT_APPLIED

    done = lab.apply()

    assert done.status == ExitStatus.DONE, done
    assert "reloaded" in steps(done.out)


def test_a_server_that_cannot_be_started_again_calls_a_person(lab: ApacheLab):
    # What it runs by is no longer what is on disk: an administrator has begun to change it.
    lab.add("other.example", lines="")
    extra = lab.apache.sites / "other.example.conf"
    extra.write_text(f"{FATAL}\n{extra.read_text(encoding='utf-8')}", encoding="utf-8")
    found = lab.files()

    done = lab.apply("--site", "shop.example")

    assert done.status == ExitStatus.UNDO_FAILED, done
    assert "192.0.2.1:1" in done.err
    assert "does not run: start it" in done.err
    assert lab.files() == found


def test_a_server_that_does_not_run_is_configured_and_never_started(lab: ApacheLab):
    lab.apache.stop()

    done = lab.apply()

    assert done.status == ExitStatus.DONE, done
    assert "is not running" in done.out
    assert lab.apache.master is None


def test_a_master_that_was_killed_meanwhile_is_not_started_by_a_reload(lab: ApacheLab):
    """`-k graceful` would start one; here it is the undoing that does, on the old files."""
    found = lab.files()
    test_command = lab.root / "test-and-kill"
    pid = lab.apache.master
    argv = " ".join(lab.apache.argv("-t"))
    variables = " ".join(f"{k}='{v}'" for k, v in lab.apache.environment.items())
    test_command.write_text(
        f"#!/bin/sh\nenv {variables} {argv} || exit 1\n"
        f"grep -qs SSLUseStapling {lab.apache.sites}/shop.example.conf || exit 0\n"
        f"kill -TERM {pid}\nwhile kill -0 {pid} 2>/dev/null; do sleep 0.1; done\n",
        encoding="utf-8",
    )
    test_command.chmod(0o755)

    done = lab.apply("--test-command", str(test_command))

    assert done.status == ExitStatus.NOT_APPLIED, done
    assert "has ended" in done.err
    assert lab.files() == found


def test_a_broken_configuration_is_the_users_news(lab: ApacheLab):
    lab.add("other.example", lines="Bogus on")
    found, master = lab.files(), lab.apache.master

    done = lab.apply()
    check = lab.cli("check", "--format", "json")

    assert done.status == ExitStatus.NOT_APPLIED, done
    assert "broken as it is" in done.err
    assert "Invalid command 'Bogus'" in done.err
    assert (lab.files(), lab.apache.master) == (found, master)
    assert check.status == ExitStatus.FINDINGS
    assert any("Bogus" in each["problem"] for each in check.document["findings"])


def test_a_server_started_with_a_flag_nobody_told_us_of_is_not_edited(tmp_path: Path):
    with ApacheLab.make(tmp_path, defines=("BETA",)) as lab:
        lab.apache.start()
        found = lab.files()

        done = lab.apply()
        told = tmp_path / "settings.toml"
        told.write_text('apache.defines = ["BETA"]\n', encoding="utf-8")
        after = lab.apply("--settings", str(told))

        assert done.status == ExitStatus.FINDINGS, done
        assert "-D BETA" in done.out
        assert lab.files() != found
        assert after.status == ExitStatus.DONE, after


def test_the_target_is_remembered_with_its_server(lab: ApacheLab):
    assert lab.apply().status == ExitStatus.DONE

    (target,) = (lab.state / "targets").glob("apache-*.json")

    assert json.loads(target.read_text(encoding="utf-8"))["server"] == "apache"
    with serving(lab, lab.serve):
        assert run(["status", "--state-dir", str(lab.state)]).status == ExitStatus.DONE


def test_another_machines_tree_is_read_and_nothing_is_executed(tmp_path: Path):
    root = tmp_path / "image"
    with ApacheLab.make(root / "etc", stock=True) as lab:
        (root / "etc/apache").rename(root / "etc/apache2")
        lab.apache.prefix = root / "etc/apache2"

        done = run(["check", "--root", str(root), "--format", "json"])

    assert done.status in {ExitStatus.DONE, ExitStatus.FINDINGS}, done
    assert done.document["server"]["binary"] is None


@pytest.mark.parametrize("command", ["check", "diff", "apply", "remove", "warm", "status", "probe"])
def test_no_command_asks_the_server_more_than_once_how_it_reads(tmp_path: Path, command: str):
    """That costs as much as a test, and without -t it would start a server."""
    with ApacheLab.make(tmp_path) as lab:
        lab.apache.start()
        calls, binary = tmp_path / "calls", tmp_path / "apache2"
        binary.write_text(
            f'#!/bin/sh\necho "$*" >>{calls}\nexec {lab.apache.binary} "$@"\n', encoding="utf-8"
        )
        binary.chmod(0o755)
        more = ["--unscheduled"] if command == "apply" else []

        done = lab.cli(command, "--binary", str(binary), *more)

    assert done.status in {ExitStatus.DONE, ExitStatus.FINDINGS}, done
    asked = [line for line in calls.read_text(encoding="utf-8").splitlines() if "DUMP_" in line]
    edits = command in {"check", "diff", "apply", "remove"}
    assert len(asked) == (1 if edits else 0)
    assert all(line.startswith("-t ") for line in asked)
