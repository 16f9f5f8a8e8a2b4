"""A real Apache's processes: who accepts, whether a graceful took, and what brings it back."""

from __future__ import annotations

import os
import shlex
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path, PurePosixPath

import pytest

from staplecfg.machine import control, starting
from staplecfg.machine.control import Died, NotReloaded, Reloaded
from staplecfg.machine.listening import listening, sockets
from staplecfg.machine.starting import NotStarted, Place, Started, Ways
from staplecfg.servers.interface import Command
from tests.support.apache import Apache, ApacheTrouble
from tests.support.nginx import wait_until

pytestmark = pytest.mark.system


@pytest.fixture
def apache(tmp_path: Path):
    with Apache(tmp_path / "apache") as apache:
        apache.start()
        yield apache


def master_of(apache: Apache) -> int:
    master = apache.master
    assert master is not None
    return master


def place(apache: Apache) -> Place:
    return Place(apache.pid_file, PurePosixPath(apache.binary))


def ways(apache: Apache, *, watched_over: bool = False) -> Ways:
    return Ways(
        Command(tuple(apache.argv("-k", "start"))),
        Command(tuple(apache.argv("-k", "graceful-stop"))),
        watched_over=watched_over,
    )


def deadly(apache: Apache) -> None:
    """Have it accept by -t what it cannot start with: an address that is nobody's here."""
    apache.main = "Listen 192.0.2.1:1"
    apache.write()
    assert apache.test().returncode == 0


def test_the_master_is_found_by_the_name_of_its_binary(apache: Apache):
    assert control.running(apache.pid_file, PurePosixPath(apache.binary)) == apache.master
    assert control.running(apache.pid_file, PurePosixPath("/usr/sbin/nginx")) is None
    assert control.running(apache.pid_file) is None


def test_all_children_of_a_quiet_server_accept(apache: Apache):
    master = master_of(apache)

    doors = listening(master)

    assert doors
    assert control.generation(master) == apache.worker_pids()
    assert all(doors <= (sockets(pid) or set()) for pid in apache.worker_pids())


def test_a_graceful_has_taken_when_the_children_are_new(apache: Apache):
    master, before = master_of(apache), control.generation(master_of(apache))

    apache.run("-k", "graceful")
    outcome = control.wait_reloaded(master, before, timeout=30)

    assert isinstance(outcome, Reloaded)
    assert not outcome.workers & before
    assert apache.master == master


def test_old_children_may_stay_for_their_connections(apache: Apache):
    master, before = master_of(apache), control.generation(master_of(apache))
    with socket.create_connection(("127.0.0.1", apache.http)) as visitor:
        visitor.sendall(b"GET / HTTP/1.1\r\n")
        time.sleep(0.2)

        apache.run("-k", "graceful")
        outcome = control.wait_reloaded(master, before, timeout=30)

        assert isinstance(outcome, Reloaded)
        assert apache.worker_pids() & before
        assert not control.generation(master) & before
        visitor.sendall(b"Host: localhost\r\nConnection: close\r\n\r\n")
        assert visitor.recv(100).startswith(b"HTTP/1.1 ")


def test_without_a_graceful_nothing_has_taken(apache: Apache):
    master = master_of(apache)

    outcome = control.wait_reloaded(master, control.generation(master), timeout=0.5)

    assert isinstance(outcome, NotReloaded)
    assert "same worker processes" in outcome.reason


def test_a_master_that_dies_of_its_configuration_is_told_from_one_that_refuses(apache: Apache):
    master, before = master_of(apache), control.generation(master_of(apache))
    deadly(apache)

    apache.run("-k", "graceful")
    outcome = control.wait_reloaded(master, before, timeout=30)

    assert isinstance(outcome, Died)


def test_a_child_more_that_came_before_it_died_is_no_new_generation(apache: Apache):
    master = master_of(apache)
    deadly(apache)

    apache.run("-k", "graceful")
    # As if all of the children had come only after we looked.
    outcome = control.wait_reloaded(master, frozenset(), timeout=30)

    assert isinstance(outcome, Died)


def test_a_server_that_died_is_started_again(apache: Apache):
    deadly(apache)
    with pytest.raises(ApacheTrouble, match="died"):
        apache.graceful()
    apache.main = ""
    apache.write()

    outcome = starting.start(place(apache), ways(apache))

    assert isinstance(outcome, Started)
    assert outcome.master == apache.master
    assert apache.accepting()


def test_one_that_cannot_be_started_says_why(apache: Apache):
    deadly(apache)
    with pytest.raises(ApacheTrouble, match="died"):
        apache.graceful()

    outcome = starting.start(place(apache), ways(apache))

    assert isinstance(outcome, NotStarted)
    assert "192.0.2.1:1" in outcome.reason


def test_the_pid_file_of_a_dead_master_keeps_nobody_from_starting(apache: Apache):
    apache.stop()
    apache.pid_file.write_text(f"{os.getpid()}\n", encoding="ascii")

    assert isinstance(starting.start(place(apache), ways(apache)), Started)


def test_one_that_others_have_started_meanwhile_is_found(apache: Apache):
    outcome = starting.start(place(apache), ways(apache))

    assert outcome == starting.Found(master_of(apache))


def test_a_restart_gives_another_master_and_lets_connections_end(apache: Apache):
    old = master_of(apache)
    with socket.create_connection(("127.0.0.1", apache.http)) as visitor:
        visitor.sendall(b"GET / HTTP/1.1\r\n")
        time.sleep(0.2)

        outcome = starting.restart(place(apache), old, ways(apache))

        assert isinstance(outcome, Started)
        assert outcome.master == apache.master != old
        visitor.sendall(b"Host: localhost\r\nConnection: close\r\n\r\n")
        assert visitor.recv(100).startswith(b"HTTP/1.1 ")


def test_a_restart_waits_for_children_that_listen_longer_than_their_master(apache: Apache):
    slow = next(iter(apache.accepting()))
    os.kill(slow, signal.SIGSTOP)
    timer = threading.Timer(1.5, os.kill, (slow, signal.SIGCONT))
    timer.start()

    outcome = starting.restart(place(apache), master_of(apache), ways(apache))

    timer.join()
    assert isinstance(outcome, Started), outcome


def end(pids: frozenset[int]) -> None:
    for pid in pids:
        os.kill(pid, signal.SIGKILL)


def test_a_start_waits_for_children_of_a_master_that_died(apache: Apache):
    master, former = master_of(apache), apache.accepting()
    for each in former:
        os.kill(each, signal.SIGSTOP)
    os.kill(master, signal.SIGKILL)
    wait_until(lambda: not control.alive(master), "the master to be gone")
    timer = threading.Timer(1.5, end, (former,))
    timer.start()

    outcome = starting.start(place(apache), ways(apache), former=former)

    timer.join()
    assert isinstance(outcome, Started), outcome


def test_only_one_in_the_foreground_is_watched_over_by_somebody(apache: Apache):
    assert not starting.supervised(master_of(apache))


def test_whoever_watches_over_a_server_goes_first(apache: Apache):
    os.kill(master_of(apache), signal.SIGTERM)
    deadline = time.monotonic() + 20
    while apache.master is not None and time.monotonic() < deadline:
        time.sleep(0.05)
    argv = shlex.join(apache.argv("-D", "FOREGROUND", "-k", "start"))
    # A supervisor, and a slow one.
    with subprocess.Popen(["/bin/sh", "-c", f"sleep 1; exec {argv}"]) as supervised:
        outcome = starting.start(place(apache), ways(apache, watched_over=True))

        assert outcome == starting.Found(supervised.pid)
        assert starting.supervised(supervised.pid)
        supervised.terminate()
