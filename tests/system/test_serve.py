"""The deliveries besides a file of one certificate's: the local responder, and one file for two."""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from tests.support.count import Crowd, count, of_both_keys, visitors
from tests.support.lab import Lab
from tests.support.nginx import free_port, wait_until
from tests.support.relay import forward, listening
from tests.support.serve_process import serving

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.support.authority import Issued
    from tests.support.count import Counted, Visitor

pytestmark = pytest.mark.system

NAME = "shop.example"
DAY = timedelta(days=1)


class Two(Lab):
    """A laboratory whose one site presents an RSA and an ECDSA certificate."""

    def add_two(self, name: str = NAME, *, lines: str = "") -> list[Issued]:
        issued = [
            self.authority.leaf([name], responders=[self.responder.url], key=key)
            for key in ("rsa", "ec")
        ]
        pairs = [one.write(self.root / "pki", f"{name}-{n}") for n, one in enumerate(issued)]
        self.nginx.site(name, listen=f"127.0.0.1:{self.port} ssl", certificates=pairs, lines=lines)
        self.issued |= {f"{name}-{n}": one for n, one in enumerate(issued)}
        self.responder.start(self.issued.values())
        return issued


@pytest.fixture
def two(tmp_path) -> Iterator[Two]:
    with Two.make(tmp_path / "lab", sites=[], workers=2) as made:
        assert isinstance(made, Two)
        made.add_two()
        yield made


def both(lab: Lab) -> list[Visitor]:
    return of_both_keys(visitors(lab.port, [NAME]))


def until_settled(lab: Lab) -> list[Counted]:
    """Return rounds of handshakes up to the first in which nobody goes without.

    How many do until the first fetch is answered depends on how busy the machine is.
    """
    seen = [count(both(lab), 100)]
    while not seen[-1].flawless:
        assert len(seen) < 20, seen
        seen.append(count(both(lab), 100))
    return seen


def aged(lab: Lab, *, until: timedelta = 2 * DAY) -> bytes:
    """Make the store hold one response about all certificates, five days old, and no notes."""
    now = datetime.now(timezone.utc).replace(microsecond=0)
    begins, ends = now - 5 * DAY, now + until
    first, *others = lab.issued.values()
    der = lab.authority.respond(
        first,
        now=now,
        produced_at=begins,
        this_update=begins,
        next_update=ends,
        also=[
            replace(lab.authority.single(other, now=now), this_update=begins, next_update=ends)
            for other in others
        ],
    )
    for issued in lab.issued.values():
        (lab.state / "store" / f"{issued.sha256}.der").write_bytes(der)
        (lab.state / "store" / f"{issued.sha256}.json").unlink(missing_ok=True)
    return der


def test_apply_looks_at_each_of_two_certificates_and_says_which(two):
    two.nginx.start()
    ended = two.apply("--format", "json")

    assert ended.status == 0, ended
    probes = ended.document["probes"]
    assert {(each["tls"], each["key"]) for each in probes} == {
        (version, key) for version in ("TLSv1.2", "TLSv1.3") for key in ("RSA", "ECDSA")
    }
    assert {each["verdict"] for each in probes} == {"served"}


def test_what_is_worse_for_the_second_certificate_alone_is_undone(two):
    """Somebody's own template hands out the first one's staple with both."""
    two.nginx.start()
    assert two.apply().status == 0
    before = two.files()
    alone = two.authority.respond(two.issued[f"{NAME}-0"], now=datetime.now(timezone.utc))
    (two.root / "rsa.der").write_bytes(alone)
    own = two.root / "templates" / "nginx" / "file"
    own.mkdir(parents=True)
    (own / "state.conf.j2").write_text(f"ssl_stapling_file {two.root}/rsa.der;\n")
    templates = ("--template-dir", str(two.root / "templates"))

    ended = two.apply(*templates)

    assert ended.status == 4, ended
    assert "ECDSA" in ended.err
    assert "a wrong staple" in ended.err
    assert two.files() == before


class TestOneFileForTwo:
    def test_both_are_stapled_from_the_first_handshake_through_reload_and_renewal(self, two):
        two.nginx.start()
        asked = two.responder.asked

        applied = two.apply()

        assert applied.status == 0, applied
        assert two.responder.asked == asked + 1, "one request for both"
        from_start = count(both(two), 200)
        assert from_start.flawless, from_start
        assert len(from_start.presented) == 2
        with Crowd(both(two)) as crowd:
            two.nginx.reload()
        assert crowd.counted.flawless, crowd.counted
        aged(two)
        with Crowd(both(two)) as crowd:
            assert two.cli("warm").status == 0
        assert crowd.counted.flawless, crowd.counted
        assert two.responder.asked == asked + 2
        two.nginx.restart()
        assert count(both(two), 200).flawless

    def test_the_same_response_is_stored_under_both(self, two):
        assert two.apply().status == 0

        stored = {
            (two.state / "store" / f"{issued.sha256}.der").read_bytes()
            for issued in two.issued.values()
        }
        assert len(stored) == 1
        assert two.cli("warm", "--format", "json").document["changed"] is False

    def test_where_the_responder_answers_for_one_nobody_gets_the_others(self, two):
        two.responder.first_only = True
        two.nginx.start()

        applied = two.apply()

        assert applied.status == 0, applied
        assert "no-common-response" in applied.out
        assert "--delivery responder" in applied.out
        counted = count(both(two), 80)
        assert counted.wrong == 0, counted
        assert counted.unstapled == 80
        # Each has a staple of its own all the same, for whoever asks the local responder.
        assert len(list((two.state / "store").glob("*.der"))) == 2

    def test_a_responder_that_is_no_use_for_both_is_not_asked_every_hour(self, two):
        two.responder.first_only = True
        assert two.apply().status == 0
        asked = two.responder.asked

        assert two.cli("warm").status == 0

        assert two.responder.asked == asked

    def test_a_common_response_outlives_a_responder_that_gives_none_any_more(self, two):
        two.nginx.start()
        assert two.apply().status == 0
        aged(two)
        two.responder.first_only = True

        ended = two.cli("warm")

        assert ended.status == 0, ended
        counted = count(both(two), 80)
        assert counted.flawless, counted

    def test_one_that_is_revoked_is_told_and_the_last_good_answer_stays(self, two):
        two.nginx.start()
        assert two.apply().status == 0
        aged(two)
        rsa, ec = two.issued.values()
        two.responder.start([ec], revoked=[rsa])

        ended = two.cli("warm")

        assert ended.status == 1, ended
        assert "revoked" in ended.err
        counted = count(both(two), 80)
        assert counted.flawless, counted

    def test_a_certificate_that_is_exchanged_takes_the_staple_with_it(self, two):
        two.nginx.start()
        assert two.apply().status == 0
        new = two.authority.leaf([NAME], responders=[two.responder.url], key="rsa")
        new.write(two.root / "pki", f"{NAME}-0")
        two.issued[f"{NAME}-0"] = new
        two.responder.start(two.issued.values())

        with Crowd(both(two)) as crowd:
            assert two.cli("warm").status == 0
        assert crowd.counted.wrong == 0, crowd.counted
        after = count(both(two), 80)
        assert after.flawless, after
        assert new.sha256 in after.presented


class TestResponder:
    @pytest.mark.parametrize("workers", [1, 4])
    def test_never_wrong_and_only_the_first_of_each_worker_goes_without(self, tmp_path, workers):
        port = free_port()
        asked: list[int] = []
        answered: list[int] = []

        def counted(client: socket.socket) -> None:
            asked.append(port)
            try:
                forward(client, port)
            finally:
                answered.append(port)

        with Two.make(tmp_path / "lab", sites=[], workers=workers) as lab, listening(counted) as at:
            assert isinstance(lab, Two)
            lab.add_two()
            lab.responder.first_only = True
            lab.nginx.start()
            assert lab.cli("warm").status == 0
            with serving(lab, port):
                listen = ("--delivery", "responder", "--listen", f"127.0.0.1:{at}")
                applied = lab.cli("apply", *listen)
                assert applied.status == 0, applied
                lines = (lab.nginx.prefix / "sites-available" / NAME).read_text()
                assert f"ssl_stapling_responder http://127.0.0.1:{at}/;" in lines
                assert "include" not in lines
                for event in (lab.nginx.reload, lab.nginx.restart):
                    before = len(asked)
                    event()
                    seen = until_settled(lab)
                    assert all(each.wrong == each.refused == 0 for each in seen), seen
                    wait_until(lambda: len(answered) == len(asked), "nginx to be answered")
                    known = len(asked)
                    # Only a worker to which nobody had come yet goes without: while it asks.
                    later = count(both(lab), 100)
                    assert later.wrong == later.refused == 0, later
                    assert later.flawless or len(asked) > known, later
                    # Each worker asks once, for each of two certificates.
                    assert 2 <= len(asked) - before <= 2 * workers
            assert lab.cli("remove").status == 0

    def test_a_renewal_needs_no_reload(self, tmp_path):
        port = free_port()
        with Lab.make(tmp_path / "lab", sites=[NAME]) as lab, serving_later(lab, port):
            lab.nginx.start()
            listen = ("--delivery", "responder", "--listen", f"127.0.0.1:{port}")
            assert lab.cli("apply", *listen).status == 0
            reloads = lab.nginx.log.count("(SIGHUP) received")
            before = aged(lab)
            path = lab.state / "store" / f"{lab.issued[NAME].sha256}.der"

            ended = lab.cli("warm", "--listen", f"127.0.0.1:{port}")

            assert ended.status == 0, ended
            assert path.read_bytes() != before
            assert lab.nginx.log.count("(SIGHUP) received") == reloads

    def test_the_delivery_is_exchanged_and_taken_out_to_the_byte(self, tmp_path):
        port = free_port()
        with Lab.make(tmp_path / "lab", sites=[NAME, "blog.example"]) as lab:
            lab.nginx.start()
            before = lab.files()
            listen = ("--listen", f"127.0.0.1:{port}")
            assert lab.apply(*listen).status == 0
            as_file = lab.files()
            with serving(lab, port):
                switched = lab.apply("--delivery", "responder", "--site", NAME, *listen)
                assert switched.status == 0, switched
                shop = lab.files()[f"sites-available/{NAME}"]
                assert shop.count(b"\n") == as_file[f"sites-available/{NAME}"].count(b"\n")
                assert b"include" not in shop
                assert (
                    lab.files()["sites-available/blog.example"]
                    == as_file["sites-available/blog.example"]
                )
                # Not asked for, each stays with what it has.
                again = lab.apply(*listen, "--format", "json")
                assert again.document["changed"] is False, again
                assert [site["delivery"] for site in again.document["sites"]] == [
                    "file",
                    "responder",
                ]
                back = lab.apply("--delivery", "file", *listen)
                assert back.status == 0, back
                assert lab.files() == as_file
                assert lab.apply("--delivery", "responder", *listen).status == 0
                assert not list(lab.state.glob("nginx/*/staple.conf"))
            removed = lab.cli("remove", *listen)
            assert removed.status == 0, removed
            assert lab.files() == before

    def test_another_port_takes_the_place_of_the_old_one(self, tmp_path):
        old, new = free_port(), free_port()
        with Lab.make(tmp_path / "lab", sites=[NAME]) as lab:
            for port in (old, new):
                ended = lab.apply("--delivery", "responder", "--listen", f"127.0.0.1:{port}")
                assert ended.status == 0, ended
            text = (lab.nginx.prefix / "sites-available" / NAME).read_text()
            assert text.count("ssl_stapling_responder") == 1
            assert f":{new}/" in text

    def test_expired_or_unknown_is_no_staple(self, tmp_path):
        port = free_port()
        with Lab.make(tmp_path / "lab", sites=[NAME]) as lab:
            assert lab.apply("--delivery", "responder", "--listen", f"127.0.0.1:{port}").status == 0
            aged(lab, until=-DAY)
            with serving(lab, port):
                lab.nginx.start()
                counted = count(visitors(lab.port, [NAME]), 60)
                wait_until(lambda: "(3: trylater)" in lab.nginx.log, "nginx to be refused")
            assert counted.wrong == 0
            assert counted.unstapled == 60


def serving_later(
    lab: Lab, port: int, env: Mapping[str, str] | None = None
) -> contextlib.AbstractContextManager[subprocess.Popen[str]]:
    """Serve from a state that is still empty: what comes is answered from without a restart."""
    lab.state.mkdir(exist_ok=True)
    return serving(lab, port, env)


class TestLive:
    def test_nginx_asks_the_responders_of_the_certificates(self, tmp_path):
        # Client certificates are verified here, so no file of roots is written anywhere.
        clients = (
            f"ssl_verify_client optional;\nssl_client_certificate {tmp_path}/lab/pki/root.pem;"
        )
        with Lab.make(tmp_path / "lab", sites=[NAME], lines=clients) as lab:
            lab.nginx.start()
            before = lab.files()

            applied = lab.apply("--delivery", "live")

            assert applied.status == 0, applied
            shop = lab.files()[f"sites-available/{NAME}"]
            assert b"ssl_trusted_certificate" not in shop
            assert b"resolver" not in shop
            assert lab.nginx.test().stderr.count("warn") == 0
            counted = count(visitors(lab.port, [NAME]), 100)
            assert counted.wrong == counted.refused == 0, counted
            wait_until(lambda: count(visitors(lab.port, [NAME]), 8).flawless, "nginx to have it")
            assert not list(lab.state.glob("store/*.der"))
            assert lab.cli("remove").status == 0
            assert lab.files() == before


class TestTheService:
    def test_it_ends_cleanly_when_told(self, tmp_path):
        with (
            Lab.make(tmp_path / "lab", sites=[NAME]) as lab,
            serving_later(lab, free_port()) as run,
        ):
            run.send_signal(signal.SIGTERM)
            assert run.wait(timeout=120) == 0

    def test_it_speaks_to_the_service_manager(self, tmp_path):
        path = tmp_path / "notify"
        manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        manager.bind(str(path))
        manager.settimeout(20)
        told = {"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "600000"}
        with (
            Lab.make(tmp_path / "lab", sites=[NAME]) as lab,
            serving_later(lab, free_port(), told) as run,
        ):
            heard = [manager.recv(4096) for _ in range(6)]
            assert any(word.startswith(b"READY=1\n") for word in heard)
            assert sum(word == b"WATCHDOG=1" for word in heard) >= 4
            run.send_signal(signal.SIGTERM)
            with contextlib.closing(manager):
                while manager.recv(4096) != b"STOPPING=1":
                    pass

    def test_other_machines_are_kept_out_unless_that_is_said(self, tmp_path):
        argv = [sys.executable, "-m", "staplecfg", "serve", "--state-dir", str(tmp_path)]
        port = free_port()
        refused = subprocess.run(
            [*argv, "--listen", f"0.0.0.0:{port}"], capture_output=True, text=True, check=False
        )
        assert refused.returncode == 2
        assert "--allow-remote" in refused.stderr

    def test_a_port_that_is_taken_is_told(self, tmp_path):
        port = free_port()
        argv = [sys.executable, "-m", "staplecfg", "serve", "--state-dir", str(tmp_path)]
        with Lab.make(tmp_path / "lab", sites=[NAME]) as lab, serving_later(lab, port):
            refused = subprocess.run(
                [*argv, "--listen", f"127.0.0.1:{port}"],
                capture_output=True,
                text=True,
                check=False,
            )
        assert refused.returncode == 4, refused
        assert "in use" in refused.stderr
        assert "serve.listen" in refused.stderr
