"""warm --watch: reacts at once, wakes when something is due, outlives trouble, ends cleanly."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from datetime import timedelta
from typing import TYPE_CHECKING, final

import pytest

from staplecfg.model.looks import Looks
from staplecfg.staples.schedule import JITTER, jitter
from tests.support.aging import keep
from tests.support.count import Crowd, count, visitors
from tests.support.lab import Lab
from tests.support.nginx import NginxTrouble, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

    from tests.support.authority import Issued

pytestmark = pytest.mark.system

NAME = "shop.example"
SECOND = timedelta(seconds=1)


@final
class Watching:
    """`staplecfg warm --watch` in a process of its own, and what it has said so far."""

    def __init__(self, lab: Lab, *more: str, every: bool = False) -> None:
        self.lock = lab.state / "lock"
        words = ["warm", "--watch", "--state-dir", str(lab.state)]
        words = words if every else lab.arguments("warm", "--watch")
        argv = [sys.executable, "-m", "staplecfg", *words, *more]
        self.process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def said(self) -> str:
        return "".join(self.lines)

    def heard(self, words: str, times: int = 1) -> None:
        """Wait until it has said `words` so often."""
        try:
            wait_until(lambda: self.said.count(words) >= times, f'"{words}" to be said')
        except NginxTrouble as trouble:
            raise AssertionError(f"{trouble}, but this:\n{self.said}") from None

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and return the exit status; what it waits for is an hour away."""
        self.process.send_signal(number)
        status = self.process.wait(timeout=120)
        self._reader.join(timeout=60)
        return status

    def settle(self) -> None:
        """Wait until it only waits: a second goes by in which it uses no processor time.

        That may be so in a round too, which a slow disk holds up; but then it has the lock.
        """

        def resting() -> bool:
            before = cpu(self.process.pid)
            time.sleep(1)
            return cpu(self.process.pid) == before and not self.lock.read_bytes()

        wait_until(resting, "it to wait for something to happen")

    def _read(self) -> None:
        assert self.process.stdout is not None
        self.lines.extend(iter(self.process.stdout.readline, ""))

    def __enter__(self) -> Watching:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._reader.join(timeout=10)
        if self.process.stdout is not None:
            self.process.stdout.close()


@pytest.fixture
def lab(tmp_path) -> Iterator[Lab]:
    with Lab.make(tmp_path / "lab", sites=[NAME]) as made:
        made.nginx.start()
        assert made.apply().status == 0
        yield made


def reloads(lab: Lab) -> int:
    return lab.nginx.log.count("(SIGHUP) received")


def reloaded(lab: Lab, times: int) -> None:
    wait_until(lambda: reloads(lab) > times, "a reload")


def deploy(lab: Lab) -> Issued:
    """Put a new certificate in the place of the old one, as ACME clients do."""
    new = lab.authority.leaf([NAME], responders=[lab.responder.url])
    lab.responder.start([lab.issued[NAME], new])
    chain, key = new.write(lab.root, "fresh")
    key.replace(lab.root / "pki" / f"{NAME}.key")
    chain.replace(lab.root / "pki" / f"{NAME}.pem")
    return new


def test_a_swapped_certificate_is_taken_up_at_once_and_nobody_notices(lab):
    crowd = visitors(lab.port, [NAME])
    with Watching(lab) as watching:
        watching.heard("watching")
        times = reloads(lab)
        with Crowd(crowd, least=100) as visited:
            new = deploy(lab)
            wait_until(lambda: reloads(lab) > times, "a reload")
        watching.heard("reloaded")
        wait_until(lambda: count(crowd, 8).presented == {new.sha256}, "the old workers to go")
        after = count(crowd, 40)
        status = watching.stop()

    assert status == 0, watching.said
    assert visited.counted.flawless, visited.counted
    assert after.flawless, after
    assert reloads(lab) == times + 1


@contextlib.contextmanager
def watching_before(
    lab: Lab, falls_due: Callable[[timedelta], object], not_yet: Callable[[], bool]
) -> Iterator[Watching]:
    """Watch from before something falls due: it does in so long as this machine takes to start."""
    for seconds in (8, 30, 60):
        falls_due(seconds * SECOND)
        with Watching(lab) as watching:
            watching.heard("watching")
            if not_yet():
                yield watching
                return
    raise AssertionError("it takes longer than a minute to begin")


@pytest.mark.timeout(600)
def test_it_wakes_when_a_renewal_falls_due(lab):
    issued, life = lab.issued[NAME], timedelta(hours=6)
    asked = 0

    def falls_due(after: timedelta) -> None:
        nonlocal asked
        # Half of its life, and the jitter of this certificate's.
        since = life / 2 * (1 - JITTER * jitter(issued.cert.serial_number)) - after
        keep(lab, issued, since=since, until=life - since)
        asked = lab.responder.asked

    with watching_before(lab, falls_due, lambda: lab.responder.asked == asked) as watching:
        watching.heard("fetched")
        watching.heard("reloaded")
        watching.stop()

    assert lab.cli("status").status == 0
    assert lab.cli("probe").status == 0


@pytest.mark.timeout(600)
def test_it_wakes_to_withdraw_what_ends(lab):
    def falls_due(after: timedelta) -> None:
        keep(lab, lab.issued[NAME], since=20 * SECOND, until=Looks().margin + after)

    lab.responder.down()

    with watching_before(
        lab, falls_due, lambda: lab.issued[NAME].sha256 in snippet(lab)
    ) as watching:
        wait_until(lambda: "127.0.0.1:1" in snippet(lab), "the withdrawal")
        assert lab.issued[NAME].sha256 not in snippet(lab)
        crowd = visitors(lab.port, [NAME])
        wait_until(lambda: count(crowd, 4).unstapled == 4, "nginx to be told")
        watching.stop()


def snippet(lab: Lab) -> str:
    (found,) = lab.state.glob("nginx/*/staple.conf")
    return "\n".join(
        line for line in found.read_text().splitlines() if not line.lstrip().startswith("#")
    )


def test_nothing_happening_costs_nothing(lab):
    asked, times = lab.responder.asked, reloads(lab)
    with Watching(lab) as watching:
        watching.heard("watching")
        watching.settle()  # after the second look, which follows the beginning of the watch
        before = (lab.state / "lock").stat().st_mtime_ns
        (lab.root / "pki" / "unrelated.tmp").write_text("noise")
        time.sleep(2)
        watching.settle()
        assert (lab.state / "lock").stat().st_mtime_ns == before, "it made a round"
        watching.stop()

    assert (lab.responder.asked, reloads(lab)) == (asked, times)


def cpu(pid: int) -> float:
    """Return the seconds of processor time that the process has used."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:  # noqa: PTH123 - as proc(5) has it
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_the_lock_is_free_while_it_waits(lab):
    with Watching(lab) as watching:
        watching.heard("watching")
        watching.settle()

        ended = lab.cli("warm", "--offline", "--format", "json")

        assert ended.status == 0, ended
        assert "left to" not in ended.out
        watching.stop()


def test_a_directory_of_certificates_that_is_swapped_as_a_whole_is_taken_up(lab):
    with Watching(lab) as watching:
        watching.heard("watching")
        new = lab.authority.leaf([NAME], responders=[lab.responder.url])
        lab.responder.start([lab.issued[NAME], new])
        shutil.copytree(lab.root / "pki", lab.root / "pki.new")
        new.write(lab.root / "pki.new", NAME)
        (lab.root / "pki").rename(lab.root / "pki.old")
        (lab.root / "pki.new").rename(lab.root / "pki")

        wait_until(lambda: new.sha256 in snippet(lab), "the new staple")
        status = watching.stop()

    assert status == 0, watching.said


def test_a_site_added_while_it_watches_is_looked_after(lab):
    with Watching(lab) as watching:
        watching.heard("watching")
        lab.add("blog.example")
        lab.responder.start(lab.issued.values())
        watching.settle()  # apply does not wait for ever for a round to be over
        applied = lab.apply("--config-only")
        assert applied.status == 0, applied
        lab.nginx.reload()

        wait_until(lambda: lab.cli("probe").status == 0, "the new site's staple")
        watching.stop()


def test_trouble_is_said_once_and_does_not_end_it(lab):
    good = lab.nginx.config.read_bytes()
    broken = lab.root / "broken.conf"
    broken.write_bytes(b"events {\n")
    with Watching(lab) as watching:
        watching.heard("watching")
        broken.replace(lab.nginx.config)  # nobody is to read half of it
        watching.heard("staplecfg: error: ")
        time.sleep(2.5)  # it tries again after 1 and 2 seconds
        assert watching.process.poll() is None
        assert watching.said.count("staplecfg: error: ") == 1, watching.said

        lab.nginx.config.write_bytes(good)
        new = deploy(lab)
        wait_until(lambda: new.sha256 in snippet(lab), "the new staple")
        status = watching.stop()

    assert status == 0


def test_all_servers_are_looked_after_and_none_keeps_the_others_from_it(tmp_path):
    with (
        Lab.make(tmp_path / "one", sites=[NAME]) as one,
        Lab.make(tmp_path / "two", sites=[NAME], state=one.state) as two,
    ):
        for each in (one, two):
            each.nginx.start()
            assert each.apply().status == 0
        with Watching(one, every=True) as watching:
            watching.heard("watching")
            for number, each in enumerate((one, two), 1):
                times = reloads(each)
                deploy(each)
                reloaded(each, times)
                watching.heard("; applied", number)
            gone = one.nginx.config.read_bytes()
            one.nginx.config.unlink()
            watching.heard("is gone")
            times = reloads(two)
            deploy(two)
            reloaded(two, times)
            watching.heard("; applied", 3)
            one.nginx.config.write_bytes(gone)
            status = watching.stop()

        assert status == 0, watching.said
        assert watching.said.count("is gone") == 1
        assert two.cli("probe").status == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda n: n.name)
def test_it_ends_at_once_when_asked_while_waiting(lab, number):
    with Watching(lab) as watching:
        watching.heard("watching")
        watching.settle()
        status = watching.stop(number)

    assert status == 0, watching.said
    assert "stopped" in watching.said
    assert "Traceback" not in watching.said


@pytest.mark.parametrize("after", [0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8])
def test_it_ends_with_nothing_half_done_whenever_it_is_asked(lab, after):
    lab.responder.delay = 0.2
    with Watching(lab) as watching:
        watching.heard("watching")
        new = deploy(lab)
        time.sleep(after)
        status = watching.stop()

    assert status == 0, watching.said
    assert "Traceback" not in watching.said
    assert not list(lab.state.glob("journal*/*"))
    assert not list(lab.root.rglob(".staplecfg-*"))
    assert lab.nginx.test().returncode == 0
    served = [path.name[:64] for path in lab.state.glob("nginx/staples/*.der")]
    assert len(served) <= 2
    ended = lab.cli("warm", "--format", "json")
    assert ended.status == 0, ended
    assert not [step for step in ended.document["steps"] if step["name"] == "undone"]
    assert new.sha256 in snippet(lab)
    assert lab.cli("probe").status == 0


def test_asked_to_stop_in_the_middle_of_a_reload_it_leaves_no_wrong_staple(lab):
    """To undo then would put the old certificate's staple in service with the new certificate."""
    with Watching(lab) as watching:
        watching.heard("watching")
        times = reloads(lab)
        new = deploy(lab)
        reloaded(lab, times)
        status = watching.stop()

    assert status == 0, watching.said
    assert new.sha256 in snippet(lab)
    assert lab.cli("probe").status == 0


def test_a_server_out_of_sight_is_reloaded_by_the_command(lab):
    master = lab.nginx.master
    lab.nginx.pid_file.unlink()
    deploy(lab)
    times = reloads(lab)

    ended = lab.cli("warm", "--unseen", "--reload-command", f"kill -HUP {master}")

    assert ended.status == 0, ended
    wait_until(lambda: reloads(lab) == times + 1, "the reload")


def test_a_server_out_of_sight_that_does_not_take_it_leaves_state_as_it_was(lab):
    lab.nginx.pid_file.unlink()
    before = snippet(lab)
    deploy(lab)

    ended = lab.cli("warm", "--unseen", "--reload-command", "false")

    assert ended.status in {4, 5}, ended
    assert snippet(lab) == before


def test_a_server_out_of_sight_is_not_reloaded_unless_told_how(lab):
    lab.nginx.pid_file.unlink()
    deploy(lab)
    times = reloads(lab)

    ended = lab.cli("warm")

    assert ended.status == 0, ended
    assert "is not running" in ended.out
    assert reloads(lab) == times
