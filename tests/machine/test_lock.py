from __future__ import annotations

import json
import multiprocessing
import os
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from staplecfg.machine.lock import hold
from staplecfg.model.errors import Busy, NotApplied
from tests.support.identity import as_nobody

if TYPE_CHECKING:
    from pathlib import Path

FOREVER = """
import sys, time
from pathlib import Path
from staplecfg.machine.lock import hold

with hold(Path(sys.argv[1]), purpose=sys.argv[2], wait=0, on_wait=print):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def another(tmp_path: Path):
    """Another process that holds the lock, until its stdin ends."""
    with subprocess.Popen(
        [sys.executable, "-c", FOREVER, str(tmp_path / "state/lock"), "warm"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def refuse(message: str) -> None:
    pytest.fail(f"nothing is to be waited for: {message}")


def test_the_lock_makes_its_directory_and_stays(tmp_path: Path):
    path = tmp_path / "state/lock"

    with hold(path, purpose="apply", wait=0, on_wait=refuse):
        held = json.loads(path.read_bytes())
    with hold(path, purpose="apply", wait=0, on_wait=refuse):
        pass

    assert held["pid"] == os.getpid()
    assert held["purpose"] == "apply"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", held["since"])
    assert path.read_bytes() == b""


def test_the_second_one_is_told_who_the_first_one_is(
    tmp_path: Path, another: subprocess.Popen[str]
):
    waited: list[str] = []

    with (
        pytest.raises(Busy, match=rf"locked by staplecfg warm \(pid {another.pid}, since ") as busy,
        hold(tmp_path / "state/lock", purpose="apply", wait=0.25, on_wait=waited.append),
    ):
        pytest.fail("there are two holders")

    assert busy.value.hint
    assert [message.partition(",")[0] for message in waited] == [
        f"staplecfg warm (pid {another.pid}"
    ]


def test_who_waits_gets_it_when_the_first_one_ends(tmp_path: Path, another: subprocess.Popen[str]):
    assert another.stdin is not None
    stdin = another.stdin

    with hold(tmp_path / "state/lock", purpose="apply", wait=30, on_wait=lambda _: stdin.close()):
        assert json.loads((tmp_path / "state/lock").read_bytes())["purpose"] == "apply"


def test_a_killed_holder_leaves_its_name_and_no_lock(
    tmp_path: Path, another: subprocess.Popen[str]
):
    another.send_signal(signal.SIGKILL)
    another.wait()
    assert b"warm" in (tmp_path / "state/lock").read_bytes()

    with hold(tmp_path / "state/lock", purpose="apply", wait=0, on_wait=refuse):
        assert json.loads((tmp_path / "state/lock").read_bytes())["pid"] == os.getpid()


@pytest.mark.parametrize(
    "litter",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\xff\0 not json", id="not JSON"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b'{"pid": 1}', id="half a name"),
        pytest.param(b'{"pid": "x", "purpose": 1, "since": null}', id="no number"),
    ],
)
def test_litter_in_the_file_is_harmless_to_holder_and_waiter(tmp_path: Path, litter: bytes):
    path = tmp_path / "lock"
    path.write_bytes(litter)

    with hold(path, purpose="apply", wait=0, on_wait=refuse):
        path.write_bytes(litter)
        with (
            pytest.raises(Busy, match="locked by another staplecfg"),
            hold(path, purpose="warm", wait=0, on_wait=refuse),
        ):
            pytest.fail("there are two holders")


def test_commands_run_under_the_lock_do_not_hold_it(tmp_path: Path):
    with hold(tmp_path / "lock", purpose="apply", wait=0, on_wait=refuse):
        child = subprocess.Popen(["sleep", "60"])
    try:
        with hold(tmp_path / "lock", purpose="warm", wait=0, on_wait=refuse):
            pass
    finally:
        child.kill()
        child.wait()


def test_the_lock_ends_with_an_exception(tmp_path: Path):
    with (
        pytest.raises(RuntimeError),
        hold(tmp_path / "lock", purpose="apply", wait=0, on_wait=refuse),
    ):
        raise RuntimeError

    with hold(tmp_path / "lock", purpose="apply", wait=0, on_wait=refuse):
        pass


def test_a_link_in_the_place_of_the_lock_is_not_followed(tmp_path: Path):
    (tmp_path / "victim").write_bytes(b"content")
    (tmp_path / "lock").symlink_to("victim")

    with (
        pytest.raises(NotApplied, match="cannot be locked"),
        hold(tmp_path / "lock", purpose="apply", wait=0, on_wait=refuse),
    ):
        pytest.fail("the link was followed")

    assert (tmp_path / "victim").read_bytes() == b"content"


def test_nobody_without_power_can_hold_it_for_ever(open_path: Path):
    with hold(open_path / "lock", purpose="apply", wait=0, on_wait=refuse):
        pass
    if os.geteuid() != 0:
        pytest.skip("only root can become somebody else")

    def attempt() -> None:
        with (
            pytest.raises(NotApplied, match="permission denied"),
            hold(open_path / "lock", purpose="mischief", wait=0, on_wait=refuse),
        ):
            pytest.fail("anybody can hold it")

    as_nobody(open_path, attempt)


def _append(path: Path, lock: Path) -> None:
    for _ in range(20):
        with hold(lock, purpose="count", wait=30, on_wait=lambda _: None):
            count = int(path.read_text("ascii"))
            path.write_text(str(count + 1), "ascii")


def test_two_processes_never_hold_it_at_once(tmp_path: Path):
    (tmp_path / "count").write_text("0", "ascii")
    context = multiprocessing.get_context("spawn")
    workers = [
        context.Process(target=_append, args=(tmp_path / "count", tmp_path / "lock"))
        for _ in range(2)
    ]

    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert [worker.exitcode for worker in workers] == [0, 0]
    assert (tmp_path / "count").read_text("ascii") == "40"
