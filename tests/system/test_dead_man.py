"""The dead man on a real nginx, with staplecfg and Python gone: nothing expired is ever served."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.aging import DAY, keep
from tests.support.lab import Lab
from tests.support.nginx import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

pytestmark = pytest.mark.system

NAME = "shop.example"
PROGRAMS = (
    "cat",
    "chmod",
    "cp",
    "date",
    "flock",
    "mv",
    "rm",
    "sh",
    "sleep",
    "timeout",
)
"""All the programs there are for him; none is Python."""

PAST = 1000


@pytest.fixture
def lab(tmp_path):
    """A laboratory whose site is configured and stapled, with nginx running."""
    with Lab.make(tmp_path / "lab", sites=[NAME]) as made:
        made.nginx.start()
        applied = made.apply()
        assert applied.status == 0, applied
        yield made


@pytest.fixture
def without_python(tmp_path) -> dict[str, str]:
    """An environment in which only `PROGRAMS` are to be had."""
    directory = tmp_path / "bin"
    directory.mkdir()
    for name in PROGRAMS:
        found = shutil.which(name)
        assert found is not None, f"{name} is not installed"
        (directory / name).symlink_to(found)
    return {"PATH": str(directory)}


def script(lab: Lab) -> Path:
    return lab.state / "dead-man.sh"


def listed(lab: Lab) -> Path:
    (found,) = lab.state.glob("dead-man/*.list")
    return found


def snippet(lab: Lab) -> Path:
    (found,) = lab.state.glob("nginx/*/staple.conf")
    return found


def come_due(lab: Lab, epoch: int = PAST) -> None:
    """Make every staple's time have come, as if weeks had gone by."""
    path = listed(lab)
    lines = path.read_text().splitlines()
    times = [line.split(" ", 1) for line in lines]
    lines = [
        f"{epoch} {rest[0]}" if first.isdigit() else " ".join([first, *rest])
        for first, *rest in times
    ]
    path.write_text("\n".join(lines) + "\n")


def dead_man(
    lab: Lab, environment: Mapping[str, str], *words: str, shell: str = "/bin/sh"
) -> subprocess.CompletedProcess[str]:
    # Absolute: what stands for the virtual environment being gone is the PATH inside.
    return subprocess.run(
        [shell, str(script(lab)), *words],
        env=dict(environment),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def reloads(lab: Lab) -> int:
    return lab.nginx.log.count("(SIGHUP) received")


def verdicts(lab: Lab) -> set[str]:
    probed = lab.cli("probe", "--format", "json").document["probes"]
    return {each["verdict"] for each in probed}


def served(lab: Lab) -> bool:
    return "ssl_stapling_file /" in snippet(lab).read_text()


def test_the_script_is_for_any_posix_shell(lab):
    assert script(lab).stat().st_mode & 0o777 == 0o755
    for shell in ("dash", "bash", "busybox"):
        if shutil.which(shell) is None:
            continue
        words = ["busybox", "sh"] if shell == "busybox" else [shell]
        checked = subprocess.run(
            [*words, "-n", script(lab)], capture_output=True, text=True, check=False
        )
        assert (checked.returncode, checked.stderr) == (0, ""), shell
    if shutil.which("shellcheck") is None:
        pytest.skip("shellcheck is not installed")
    checked = subprocess.run(
        ["shellcheck", "--severity=warning", "--shell=sh", script(lab)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout


def test_while_all_is_fresh_he_does_nothing(lab, without_python):
    before, times = snippet(lab).read_bytes(), reloads(lab)

    done = dead_man(lab, without_python)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (snippet(lab).read_bytes(), reloads(lab)) == (before, times)


def test_his_time_comes_before_the_staple_ends_and_after_warm_would_have_withdrawn_it(lab):
    (line,) = (each for each in listed(lab).read_text().splitlines() if each[:1].isdigit())
    epoch, path = line.split(" ", 1)
    document = lab.cli("warm", "--format", "json").document
    expires = datetime.fromisoformat(document["staples"][0]["staple"]["expires"][:-1] + "+00:00")

    assert path == str(snippet(lab))
    assert timedelta(minutes=10) < expires - datetime.fromtimestamp(int(epoch), timezone.utc)
    assert expires - datetime.fromtimestamp(int(epoch), timezone.utc) < timedelta(minutes=75)


def test_what_has_had_its_time_is_taken_out_of_service_once(lab, without_python):
    assert verdicts(lab) == {"served"}
    come_due(lab)
    times = reloads(lab)

    done = dead_man(lab, without_python)

    assert done.returncode == 0, done.stderr
    assert str(snippet(lab)) in done.stderr
    assert not served(lab)
    assert snippet(lab).stat().st_mode & 0o777 == 0o644
    wait_until(lambda: verdicts(lab) == {"missing"}, "the staple to be gone")
    assert reloads(lab) == times + 1
    assert dead_man(lab, without_python).stderr == ""
    assert reloads(lab) == times + 1
    assert not list(lab.state.glob("dead-man/.*"))

    assert lab.cli("warm").status == 0
    assert served(lab)
    assert verdicts(lab) == {"served"}


def clock_of(lab: Lab, environment: Mapping[str, str]) -> Callable[[datetime], None]:
    """Give `environment` a clock that stands; returns what sets it."""
    told = lab.root / "clock"
    program = Path(environment["PATH"]) / "date"
    program.unlink()
    program.write_text(f"#!/bin/sh\ncat {told}\n")
    program.chmod(0o755)

    def set_clock(time: datetime) -> None:
        told.write_text(f"{int(time.timestamp())}\n")

    return set_clock


def end_of(lab: Lab) -> datetime:
    document = lab.cli("warm", "--offline", "--format", "json").document
    text = document["staples"][0]["staple"]["expires"]
    return datetime.fromisoformat(text[:-1] + "+00:00")


@pytest.mark.parametrize("held", [False, True], ids=["free", "held by one that hangs"])
@pytest.mark.parametrize("minutes", [0, 1, 4])
def test_an_expired_staple_is_never_served_though_nothing_of_staplecfg_is_left(
    lab, without_python, minutes, held
):
    """His clock is simulated: he is called as his timer would, from an hour before its end."""
    set_clock = clock_of(lab, without_python)
    end, takes = end_of(lab), timedelta(seconds=60)
    script(lab).write_text(script(lab).read_text().replace("patience=30", "patience=0"))
    seen: dict[timedelta, bool] = {}
    with (lab.state / "lock").open("a") as lock:
        if held:
            fcntl.flock(lock, fcntl.LOCK_EX)
        for looks in range(-60, 10, 5):
            left = timedelta(minutes=-looks - minutes)
            set_clock(end - left)
            dead_man(lab, without_python)
            seen[left - takes] = served(lab)

    assert all(serves for left, serves in seen.items() if left > timedelta(minutes=15)), seen
    assert not any(serves for left, serves in seen.items() if left <= timedelta(minutes=3)), seen
    wait_until(lambda: verdicts(lab) == {"missing"}, "the staple to be gone")


@pytest.mark.parametrize(
    ("word", "settled"),
    [
        pytest.param("", True, id="his to settle"),
        pytest.param("staplecfg\n", False, id="left to the next run"),
    ],
)
def test_a_reload_that_is_owed_is_settled_by_him_or_left_to_staplecfg(
    lab, without_python, word, settled
):
    pending = listed(lab).with_suffix(".pending")
    pending.write_text(word)
    times = reloads(lab)

    done = dead_man(lab, without_python)

    assert done.returncode == 0, done.stderr
    wait_until(lambda: reloads(lab) == times + settled, "the reload that was owed")
    assert pending.exists() is not settled
    assert lab.cli("warm").status == 0
    assert reloads(lab) == times + 1
    assert not pending.exists()


def test_what_is_left_to_staplecfg_is_still_owed_when_he_had_to_reload_for_himself(
    lab, without_python
):
    """A run that was killed is undone by the next one, which then has to reload once more."""
    pending = listed(lab).with_suffix(".pending")
    pending.write_text("staplecfg\n")
    come_due(lab)
    times = reloads(lab)

    done = dead_man(lab, without_python)

    assert done.returncode == 0, done.stderr
    assert not served(lab)
    wait_until(lambda: reloads(lab) == times + 1, "his own reload")
    assert pending.read_text() == "staplecfg\n"
    assert dead_man(lab, without_python).stderr == ""
    assert reloads(lab) == times + 1
    assert lab.cli("warm").status == 0
    assert not pending.exists()


def test_a_run_without_reload_leaves_it_to_the_next_run_of_staplecfg(lab, without_python):
    keep(lab, lab.issued[NAME], since=5 * DAY, until=timedelta(minutes=1))
    lab.responder.down()

    assert lab.cli("warm", "--no-reload").status == 1

    times = reloads(lab)
    assert not served(lab)
    assert dead_man(lab, without_python).returncode == 0
    assert reloads(lab) == times
    assert lab.cli("warm").status == 1
    assert reloads(lab) == times + 1
    assert lab.cli("warm").status == 1
    assert reloads(lab) == times + 1


def test_what_an_earlier_staplecfg_owed_is_still_understood(lab):
    config = str(lab.nginx.config).encode()
    old = lab.state / f"reload-owed-{hashlib.sha256(config).hexdigest()[:8]}"
    old.write_bytes(config + b"\n")
    times = reloads(lab)

    assert lab.cli("warm").status == 0

    assert reloads(lab) == times + 1
    assert not old.exists()


def test_a_server_out_of_sight_is_reloaded_by_its_command_alone(lab, without_python):
    """What `warm --unseen` wrote: no pid file is gone by, for it would say that nothing runs."""
    asked = lab.root / "asked"
    command = f"sh -c ': >{asked}; kill -HUP $(cat {lab.nginx.pid_file})'"
    warmed = lab.cli("warm", "--unseen", "--reload-command", command)
    assert warmed.status == 0, warmed
    assert not [line for line in listed(lab).read_text().splitlines() if line.startswith("pid ")]
    come_due(lab)
    asked.unlink(missing_ok=True)

    done = dead_man(lab, without_python)

    assert done.returncode == 0, done.stderr
    assert asked.exists()
    wait_until(lambda: verdicts(lab) == {"missing"}, "the staple to be gone")


def test_before_a_start_he_only_writes(lab, without_python):
    lab.nginx.stop()
    come_due(lab)

    done = dead_man(lab, without_python, "--no-reload")

    assert done.returncode == 0, done.stderr
    assert not served(lab)
    lab.nginx.start()
    assert verdicts(lab) == {"missing"}
    times = reloads(lab)
    assert dead_man(lab, without_python).returncode == 0
    assert reloads(lab) <= times + 1
    assert not list(lab.state.glob("dead-man/*.pending"))


def test_a_server_that_is_stopped_is_not_reloaded(lab, without_python):
    lab.nginx.stop()
    come_due(lab)

    done = dead_man(lab, without_python)

    assert done.returncode == 0, done.stderr
    assert not served(lab)
    assert dead_man(lab, without_python).stderr == ""


def test_a_configuration_that_is_broken_is_not_reloaded_until_it_is_mended(lab, without_python):
    come_due(lab)
    path = lab.nginx.prefix / "sites-available" / NAME
    good = path.read_bytes()
    path.write_bytes(good.replace(b"server_name", b"server_nam"))
    times = reloads(lab)

    done = dead_man(lab, without_python)

    assert done.returncode == 1
    assert "server_nam" in done.stderr
    assert not served(lab)
    assert reloads(lab) == times
    path.write_bytes(good)
    assert dead_man(lab, without_python).returncode == 0
    wait_until(lambda: reloads(lab) == times + 1, "the reload that was owed")


def test_killed_in_the_middle_he_is_finished_by_the_next(lab, without_python, tmp_path):
    come_due(lab)
    times = reloads(lab)
    gate = tmp_path / "gate"
    path = listed(lab)
    text = path.read_text()
    lines = [f"test : >{gate}; sleep 30" if x.startswith("test ") else x for x in text.splitlines()]
    path.write_text("\n".join(lines) + "\n")
    with subprocess.Popen(
        ["/bin/sh", script(lab)],
        env=without_python,
        start_new_session=True,
        stderr=subprocess.DEVNULL,
    ) as running:
        wait_until(gate.exists, "the test of the configuration")
        os.killpg(running.pid, signal.SIGKILL)
    assert not served(lab)
    assert reloads(lab) == times
    path.write_text(text)
    come_due(lab)

    done = dead_man(lab, without_python)

    assert done.returncode == 0, done.stderr
    wait_until(lambda: reloads(lab) == times + 1, "the reload that was owed")


def test_a_staplecfg_at_work_is_left_to_it(lab, without_python):
    come_due(lab, epoch=int(time.time()) - 5)
    before = snippet(lab).read_bytes()
    patient = script(lab).read_text()
    assert "patience=30" in patient
    script(lab).write_text(patient.replace("patience=30", "patience=1"))
    with (lab.state / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)

        done = dead_man(lab, without_python)

        assert done.returncode == 0
        assert "left to the staplecfg" in done.stderr
        assert snippet(lab).read_bytes() == before
        # One that hangs is another matter.
        come_due(lab, epoch=int(time.time()) - 700)
        assert dead_man(lab, without_python).returncode == 0
        assert not served(lab)


def test_he_holds_the_lock_and_what_he_starts_does_not(lab, without_python, tmp_path):
    come_due(lab)
    gate, end = tmp_path / "gate", tmp_path / "end"
    path = listed(lab)
    hold = f"(: >{gate}; sleep 20) & while [ ! -e {end} ]; do sleep 0.1; done"
    text = path.read_text().splitlines()
    lines = [f"reload {hold}" if line.startswith("reload ") else line for line in text]
    path.write_text("\n".join(lines) + "\n")
    with subprocess.Popen(
        ["/bin/sh", script(lab)],
        env=without_python,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as running:
        wait_until(gate.exists, "the reload")
        busy = lab.cli("warm", "--offline")
        assert "left to the run under way" in busy.out, busy
        end.touch()
        running.wait(60)
        assert lab.cli("warm").status == 0  # though what the reload left behind still runs
        assert served(lab)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("\x00\x01\xff" * 50, id="no text"),
        pytest.param("1000\n1000 \n 1000 x\n-1 y\n1e3 z\n", id="half lines"),
        pytest.param("1000 /etc/passwd\n", id="somebody else's file"),
        pytest.param("1000 {state}/../victim\n", id="a way out"),
        pytest.param("1000 {state}/nginx\n", id="a directory"),
        pytest.param("1000 {state}/missing\n", id="nothing there"),
        pytest.param("99999999999999999999 {snippet}\n", id="beyond all numbers"),
        pytest.param("overdue 08\noverdue x\noverdue \noverdue 99999999999999999999\n", id="waits"),
        pytest.param("1000 $(touch {state}/victim)\n1000 `touch {state}/victim`\n", id="commands"),
    ],
)
def test_nonsense_in_the_list_does_no_harm(lab, without_python, text):
    victim = lab.root / "victim"
    victim.write_text("precious")
    filled = text.format(state=lab.state, snippet=snippet(lab)) if "{" in text else text
    listed(lab).write_bytes(filled.encode("latin-1"))
    before = snippet(lab).read_bytes()

    done = dead_man(lab, without_python)

    assert done.returncode == 0, done.stderr
    assert snippet(lab).read_bytes() == before
    assert victim.read_text() == "precious"
    assert not (lab.state / "victim").exists()
    assert not (lab.state / "missing").exists()


def test_without_a_list_or_a_neutral_file_he_says_so_or_nothing(lab, without_python):
    come_due(lab)
    (neutral,) = lab.state.glob("dead-man/*.neutral")
    content = neutral.read_bytes()
    neutral.unlink()

    done = dead_man(lab, without_python)

    assert done.returncode == 1
    assert neutral.name in done.stderr
    neutral.write_bytes(content)
    shutil.rmtree(lab.state / "dead-man")
    assert dead_man(lab, without_python).returncode == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")
def test_on_a_full_disk_the_staple_still_goes(tmp_path, without_python):
    full = tmp_path / "lab" / "state"
    with Lab.make(tmp_path / "lab", sites=[NAME]) as lab:
        full.mkdir()
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=256k,mode=755", "tmpfs", full],
            capture_output=True,
            check=False,
        )
        if mounted.returncode != 0:
            pytest.skip("mounting is not possible here")
        try:
            lab.nginx.start()
            assert lab.apply().status == 0
            come_due(lab)
            with (
                (full / "filler").open("wb", buffering=0) as filler,
                pytest.raises(OSError, match="No space"),
            ):
                while True:
                    filler.write(b"x" * 4096)

            done = dead_man(lab, without_python)

            assert done.returncode == 1
            assert "is the disk full?" in done.stderr
            assert snippet(lab).read_bytes() == b""
            assert lab.nginx.test().returncode == 0
            (full / "filler").unlink()
            assert lab.cli("warm").status == 0
            assert verdicts(lab) == {"served"}
        finally:
            lab.nginx.stop()
            subprocess.run(["umount", full], check=True)


def test_without_flock_he_works_all_the_same(lab, without_python):
    (Path(without_python["PATH"]) / "flock").unlink()
    come_due(lab)

    assert dead_man(lab, without_python).returncode == 0
    assert not served(lab)


def test_he_goes_with_the_last_site(lab):
    assert lab.cli("remove").status == 0

    assert not script(lab).exists()
    assert not (lab.state / "dead-man").exists()
