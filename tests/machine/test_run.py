from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from staplecfg.machine.interruption import Interrupted
from staplecfg.machine.run import MOST_OUTPUT, run

DAEMON = """
import os, sys, time
if os.fork() == 0:
    os.setsid()
    with open(sys.argv[1], "w") as file:
        file.write(str(os.getpid()))
    {work}
    os._exit(0)
print("started", flush=True)
while not os.path.exists(sys.argv[1]) or not open(sys.argv[1]).read():
    time.sleep(0.01)
"""


def python(source: str, *arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-c", source, *arguments)


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def gone(pid: int) -> bool:
    deadline = time.monotonic() + 60
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    return not alive(pid)


def test_status_and_both_outputs_come_back_in_order():
    completed = run(("sh", "-c", "echo one; echo two >&2; echo three; exit 7"), timeout=10)

    assert completed.status == 7
    assert completed.output == "one\ntwo\nthree\n"
    assert Path(completed.argv[0]).is_absolute()
    assert completed.argv[1:] == ("-c", "echo one; echo two >&2; echo three; exit 7")


def test_there_is_no_shell_and_nothing_to_read():
    assert run(("echo", "$HOME; *"), timeout=10).output == "$HOME; *\n"
    assert run(("cat",), timeout=10).status == 0


def test_a_command_speaks_c_and_finds_what_is_in_sbin():
    completed = run(("sh", "-c", "echo $LC_ALL $PATH"), timeout=10)

    locale, _, path = completed.output.strip().partition(" ")
    assert locale == "C"
    assert "/usr/sbin" in path.split(":")


def test_a_signal_is_told_from_a_status():
    assert run(("sh", "-c", "kill -9 $$"), timeout=10).status == -signal.SIGKILL


def test_undecodable_output_is_kept():
    assert run(("printf", r"\377"), timeout=10).output == "\udcff"


def test_endless_output_is_bounded_and_does_not_block():
    completed = run(("head", "-c", str(4 * MOST_OUTPUT), "/dev/zero"), timeout=60)

    assert completed.status == 0
    assert len(completed.output) == MOST_OUTPUT


@pytest.mark.parametrize(
    ("name", "problem", "hint"),
    [
        pytest.param("staplecfg-missing", "no such program", "install it", id="not on PATH"),
        pytest.param("/nonexistent/nginx", "no such program", "install it", id="no such path"),
        pytest.param("/etc/passwd", "permission denied", "chmod", id="not executable"),
    ],
)
def test_a_command_that_cannot_start_says_why(name: str, problem: str, hint: str):
    completed = run((name, "-t"), timeout=10)

    assert completed.status is None
    assert completed.output == f"{name}: {problem}"
    assert completed.hint is not None
    assert hint in completed.hint


def test_a_file_that_is_no_program_says_so(tmp_path: Path):
    (tmp_path / "nginx").write_bytes(b"\x7fELF but not really")
    (tmp_path / "nginx").chmod(0o755)

    completed = run((str(tmp_path / "nginx"),), timeout=10)

    assert completed.status is None
    assert "exec format error" in completed.output


def test_a_nul_byte_cannot_start():
    assert run(("true", "a\0b"), timeout=10).status is None


def test_what_takes_too_long_is_killed_with_all_it_started(tmp_path: Path):
    script = f"sleep 6000 & echo $! > {tmp_path}/child; echo $$ > {tmp_path}/self; echo said; wait"

    completed = run(("sh", "-c", script), timeout=2)

    assert completed.status is None
    assert completed.output == "said\ndid not end within 2 seconds"
    assert gone(int((tmp_path / "child").read_text("ascii")))
    assert gone(int((tmp_path / "self").read_text("ascii")))


@pytest.mark.parametrize(
    "work",
    [
        pytest.param("time.sleep(6000)", id="silent"),
        pytest.param("[os.write(1, b'x' * 4096) for _ in iter(int, 1)]", id="chattering"),
    ],
)
def test_a_daemon_that_keeps_the_pipe_does_not_hold_us_up(tmp_path: Path, work: str):
    completed = run(python(DAEMON.format(work=work), str(tmp_path / "pid")), timeout=120)

    assert completed.status == 0
    assert completed.output.startswith(("started", "x"))
    daemon = int((tmp_path / "pid").read_text("ascii"))
    if work.startswith("time"):
        assert alive(daemon), "a daemon is not ours to kill"
        os.kill(daemon, signal.SIGKILL)
    assert gone(daemon)


def test_interrupting_us_ends_the_command(tmp_path: Path):
    def interrupt(number: int, _frame: object) -> None:
        raise Interrupted(number)

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.5)
    try:
        with pytest.raises(Interrupted):
            run(("sh", "-c", f"echo $$ > {tmp_path}/self; sleep 60"), timeout=60)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)

    assert gone(int((tmp_path / "self").read_text("ascii")))


def test_no_descriptor_is_left_open():
    def descriptors() -> int:
        return sum(1 for _ in Path("/proc/self/fd").iterdir())

    run(("true",), timeout=10)
    before = descriptors()
    for argv in (("true",), ("/nonexistent/x",)):
        run(argv, timeout=10)

    assert descriptors() == before


def test_more_variables_reach_the_command():
    assert run(("sh", "-c", "echo $RUN_DIR"), timeout=10, more={"RUN_DIR": "/x"}).output == "/x\n"


def test_what_goes_to_stderr_can_be_left_out_of_what_is_to_be_read():
    completed = run(("sh", "-c", "echo one; echo two >&2; echo three"), timeout=10, errors=False)

    assert completed.output == "one\nthree\n"


def test_more_output_is_kept_where_much_is_expected():
    argv = ("sh", "-c", "head -c 3000000 /dev/zero")

    assert len(run(argv, timeout=30).output) == MOST_OUTPUT
    assert len(run(argv, timeout=30, most=2_000_000).output) == 2_000_000
