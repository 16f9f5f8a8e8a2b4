from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path, PurePosixPath

import pytest

from staplecfg.machine import control, processes
from staplecfg.machine.control import Died, NotReloaded, Reloaded
from staplecfg.model.errors import ServerRefused
from staplecfg.servers.interface import Command

MASTER = """
import os, signal, sys

def worker(title):
    pid = os.fork()
    if pid == 0:
        os.execv("/bin/sleep", [title, "600"])
    return pid

def hup(*_):
    global workers
    if os.path.exists(sys.argv[1]):
        return
    old, workers = workers, [worker("nginx: worker process") for _ in workers]
    for pid in old:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)

workers = [worker("nginx: worker process") for _ in range(2)]
others = [
    worker("nginx: worker process is shutting down"),
    worker("nginx: cache manager process"),
]
signal.signal(signal.SIGHUP, hup)
signal.signal(signal.SIGTERM, lambda *_: sys.exit())
print("ready", flush=True)
try:
    while True:
        signal.pause()
finally:
    for pid in workers + others:
        os.kill(pid, signal.SIGKILL)
"""


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """Where this file is, the master refuses its configuration."""
    return tmp_path / "broken"


@pytest.fixture
def master(broken: Path):
    """A process that forks, titles and replaces its children as nginx does."""
    with subprocess.Popen(
        ["nginx: master process /usr/sbin/nginx", "-c", MASTER, str(broken)],
        executable=sys.executable,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        while len(control.generation(process.pid)) != 2:
            assert process.poll() is None
        yield process
        process.terminate()


def test_a_master_is_found_by_its_pid_file(tmp_path: Path, master: subprocess.Popen[str]):
    (tmp_path / "pid").write_text(f"{master.pid}\n", "ascii")

    assert control.running(tmp_path / "pid") == master.pid
    assert control.running(tmp_path / "pid", PurePosixPath("/opt/sbin/nginx")) == master.pid
    assert control.running(tmp_path / "pid", PurePosixPath(sys.executable)) == master.pid
    assert control.running(tmp_path / "pid", PurePosixPath("/usr/sbin/httpd")) is None


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("", id="empty"),
        pytest.param("nginx\n", id="no number"),
        pytest.param("-1\n", id="negative"),
        pytest.param("0\n", id="zero"),
        pytest.param("1\n", id="init"),
        pytest.param("99999999999\n", id="no such process"),
        pytest.param("²\n", id="a digit that is no number"),
    ],
)
def test_a_pid_file_may_hold_anything(tmp_path: Path, content: str):
    (tmp_path / "pid").write_text(content, "utf-8")

    assert control.running(tmp_path / "pid") is None


def test_a_missing_pid_file_means_that_nothing_runs(tmp_path: Path):
    assert control.running(tmp_path / "pid") is None


def test_a_process_id_used_again_is_no_server(tmp_path: Path):
    (tmp_path / "pid").write_text(str(os.getpid()), "ascii")

    assert control.running(tmp_path / "pid") is None
    assert control.running(tmp_path / "pid", PurePosixPath("/usr/sbin/nginx")) is None


def test_a_dead_process_nobody_waited_for_does_not_run(tmp_path: Path):
    zombie = subprocess.Popen(["true"])
    os.waitid(os.P_PID, zombie.pid, os.WEXITED | os.WNOWAIT)
    (tmp_path / "pid").write_text(str(zombie.pid), "ascii")

    assert control.running(tmp_path / "pid", PurePosixPath("/usr/bin/true")) is None
    zombie.wait()


def test_a_generation_is_the_workers_that_accept(master: subprocess.Popen[str]):
    children = {child.pid for child in processes.children(master.pid)}

    assert len(children) == 4
    assert control.generation(master.pid) < children
    assert control.generation(os.getpid()).isdisjoint(children)


def test_a_reload_has_taken_when_the_workers_are_new(master: subprocess.Popen[str]):
    before = control.generation(master.pid)

    master.send_signal(signal.SIGHUP)
    outcome = control.wait_reloaded(master.pid, before, timeout=20)

    assert isinstance(outcome, Reloaded)
    assert outcome.workers
    assert not outcome.workers & before


def test_a_reload_the_server_refused_has_not(master: subprocess.Popen[str], broken: Path):
    before = control.generation(master.pid)
    broken.touch()

    master.send_signal(signal.SIGHUP)
    outcome = control.wait_reloaded(master.pid, before, timeout=0.3)

    assert isinstance(outcome, NotReloaded)
    assert "same worker processes" in outcome.reason


def test_old_workers_that_still_accept_are_told_from_a_refusal(master: subprocess.Popen[str]):
    now = control.generation(master.pid)

    outcome = control.wait_reloaded(master.pid, now | {1}, timeout=0.1)

    assert isinstance(outcome, NotReloaded)
    assert "from before the reload" in outcome.reason


def test_a_master_that_died_of_the_reload_is_noticed_at_once(master: subprocess.Popen[str]):
    before = control.generation(master.pid)
    master.terminate()
    master.wait()

    outcome = control.wait_reloaded(master.pid, before, timeout=60)

    assert isinstance(outcome, Died)
    assert outcome.reason == f"the master process (pid {master.pid}) is gone"


def test_the_servers_own_words_are_whole_and_indented():
    said = "nginx: [emerg] unknown directive\nnginx: configuration file test failed"

    with pytest.raises(ServerRefused) as refused:
        control.test(Command(("sh", "-c", f"echo '{said}' >&2; exit 1")))

    assert refused.value.problem.startswith("the server rejects its configuration: `")
    assert refused.value.problem.endswith(
        "ended with status 1:\n"
        "    nginx: [emerg] unknown directive\n"
        "    nginx: configuration file test failed"
    )


def test_what_a_good_test_warns_of_is_returned():
    assert control.test(Command(("echo", "[warn] x"))).output == "[warn] x\n"


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        pytest.param(("false",), "ended with status 1", id="silent"),
        pytest.param(("sh", "-c", "kill -SEGV $$"), "was killed by signal 11", id="crashed"),
        pytest.param(("/nonexistent/nginx",), "no such program", id="missing"),
    ],
)
def test_a_reload_that_fails_says_how(argv: tuple[str, ...], message: str):
    with pytest.raises(ServerRefused, match=message):
        control.reload(Command(argv))


@pytest.mark.parametrize(
    ("cgroup", "unit"),
    [
        pytest.param("0::/system.slice/nginx.service\n", "nginx.service", id="unified"),
        pytest.param(
            "12:cpu:/x.service\n1:name=systemd:/system.slice/apache2.service\n0::/\n",
            "apache2.service",
            id="hybrid",
        ),
        pytest.param(
            "0::/system.slice/system-nginx.slice/nginx@a:b.service\n",
            "nginx@a:b.service",
            id="an instance in a slice of its own",
        ),
        pytest.param("0::/web.slice/nginx.service\n", "nginx.service", id="an own slice"),
        pytest.param("0::/user.slice/user-0.slice/session-3.scope\n", None, id="a session"),
        pytest.param(
            "0::/user.slice/user-0.slice/user@0.service/app.slice/nginx.service\n",
            None,
            id="a user's own manager",
        ),
        pytest.param("0::/system.slice/docker-1f2e.scope\n", None, id="a container's scope"),
        pytest.param(
            "0::/system.slice/containerd.service/kubepods-x.slice/1f2e\n",
            None,
            id="a container below its engine's service",
        ),
        pytest.param("0::/init.scope\n", None, id="init"),
        pytest.param("0::/nginx.service\n", None, id="in no slice"),
        pytest.param("0::/\n", None, id="the root group"),
        pytest.param("", None, id="no groups"),
        pytest.param("garbage\n", None, id="not understood"),
    ],
)
def test_the_unit_is_the_service_in_the_systems_slices(cgroup: str, unit: str | None):
    assert processes.unit_in(cgroup) == unit


def test_a_server_started_by_hand_has_no_unit(master: subprocess.Popen[str]):
    assert control.owner_unit(master.pid) is None
    assert control.owner_unit(99999999) is None


@pytest.mark.parametrize(
    ("furniture", "installed"),
    [
        pytest.param((), False, id="nothing"),
        pytest.param(("etc/cron.d/",), False, id="a directory alone"),
        pytest.param(("usr/sbin/cron",), False, id="a daemon that reads no cron.d"),
        pytest.param(("etc/cron.d/", "usr/sbin/cron"), True, id="Debian"),
        pytest.param(("etc/cron.d/", "usr/sbin/crond"), True, id="Red Hat"),
        pytest.param(("etc/cron.d/", "bin/busybox"), False, id="Alpine"),
    ],
)
def test_cron_is_what_reads_cron_d(tmp_path: Path, furniture: tuple[str, ...], installed: bool):  # noqa: FBT001 - a table's column
    for each in furniture:
        path = tmp_path / each
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir() if each.endswith("/") else path.touch()
    if "bin/busybox" in furniture:
        (tmp_path / "usr/sbin").mkdir(parents=True)
        (tmp_path / "usr/sbin/crond").symlink_to(tmp_path / "bin/busybox")

    assert control.cron_installed(tmp_path) is installed


def test_systemd_is_booted_where_its_directory_is():
    assert control.systemd_booted() is Path("/run/systemd/system").is_dir()
