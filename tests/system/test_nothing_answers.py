"""`check` and `status` tell of a local responder that is no use, before a visitor does."""

from __future__ import annotations

import contextlib
import http.server
import re
import shutil
import signal
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.aging import DAY, keep
from tests.support.apache import Apache
from tests.support.apache_lab import ApacheLab
from tests.support.command_line import Ended, run
from tests.support.identity import reachable_directory
from tests.support.lab import Lab
from tests.support.nginx import free_port
from tests.support.openssl_responder import OpensslResponder
from tests.support.schema import require_valid
from tests.support.serve_process import serving

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

pytestmark = pytest.mark.system

RULE = "nothing-answers"
NAME = "shop.example"
DIRECTIVES = {"nginx": "ssl_stapling_responder", "apache": "SSLStaplingForceURL"}


@dataclass
class Told:
    """A laboratory whose server was told to ask the local responder at `port`."""

    kind: str
    lab: Lab | ApacheLab
    port: int

    @property
    def at(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def place(self) -> str:
        """The line that sends the server there, as findings have it."""
        server = self.lab.server
        sites = server.sites if isinstance(server, Apache) else server.prefix / "sites-enabled"
        (place,) = [
            f"{file}:{number}"
            for file in sites.iterdir()
            for number, line in enumerate(file.read_text().splitlines(), 1)
            if DIRECTIVES[self.kind] in line
        ]
        return place

    def cli(self, command: str, *more: str) -> Ended:
        return self.lab.cli(command, "--listen", self.at, *more)

    def apply(self, *more: str) -> None:
        ended = self.cli("apply", "--unscheduled", "--delivery", "responder", *more)
        assert ended.status == 0, ended

    def findings(self, command: str, *more: str) -> list[dict[str, Any]]:
        ended = self.cli(command, "--format", "json", *more)
        document = require_valid(ended.document)
        assert document["error"] is None, ended
        return [each for each in document["findings"] if each["rule"] == RULE]

    def metric(self) -> list[str]:
        out = self.cli("status", "--format", "prometheus").out
        sample = r"^staplecfg_target_local_responder_answers\{.*\} (\S+)$"
        return re.findall(sample, out, re.MULTILINE)


@contextlib.contextmanager
def laboratory(kind: str, root: Path, **certificate: Any) -> Iterator[Told]:
    with contextlib.ExitStack() as stack:
        lab: Lab | ApacheLab
        if kind == "nginx":
            lab = stack.enter_context(Lab.make(root / "lab", sites=[]))
            port = free_port()
        else:
            directory = stack.enter_context(reachable_directory())
            lab = stack.enter_context(ApacheLab.make(directory, sites=[]))
            port = lab.serve
        lab.add(NAME, **certificate)
        lab.responder.start(lab.issued.values())
        lab.server.start()
        lab.state.mkdir()
        yield Told(kind, lab, port)


@pytest.fixture(scope="module", params=["nginx", "apache"])
def told(request, tmp_path_factory) -> Iterator[Told]:
    """One that no test changes."""
    with laboratory(request.param, tmp_path_factory.mktemp(request.param)) as made:
        with serving(made.lab, made.port):
            made.apply()
        yield made


@pytest.fixture
def on_nginx(tmp_path) -> Iterator[Told]:
    """One to be changed."""
    with laboratory("nginx", tmp_path) as made:
        with serving(made.lab, made.port):
            made.apply()
        yield made


@contextlib.contextmanager
def listener(port: int) -> Iterator[list[str]]:
    """Listen at `port`, and answer HTTP in vain; what was asked is in the list."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield asked
        finally:
            server.shutdown()
            thread.join()


class TestItAnswers:
    def test_nothing_is_said(self, told):
        with serving(told.lab, told.port):
            assert told.findings("check") == []
            assert told.findings("status") == []
            ended = told.cli("status")
            assert (ended.status, "nobody is needed" in ended.out) == (0, True), ended
            assert told.cli("status", "--format", "nagios").status == 0
            assert told.metric() == ["1.0"]

    def test_also_where_it_has_nothing_current_to_say(self, on_nginx):
        keep(on_nginx.lab, on_nginx.lab.issued[NAME], since=7 * DAY, until=-DAY)

        with serving(on_nginx.lab, on_nginx.port):
            assert on_nginx.findings("check") == []

    def test_also_where_a_staple_is_about_to_end(self, on_nginx):
        keep(on_nginx.lab, on_nginx.lab.issued[NAME], since=7 * DAY, until=DAY / 100)

        with serving(on_nginx.lab, on_nginx.port):
            assert on_nginx.findings("check") == []

    def test_also_where_the_store_is_as_empty_as_it_says(self, on_nginx):
        for path in (on_nginx.lab.state / "store").iterdir():
            path.unlink()

        with serving(on_nginx.lab, on_nginx.port):
            assert on_nginx.findings("check") == []


class TestItDoesNot:
    def test_check_says_where_and_what_to_do(self, told):
        ended = told.cli("check")

        assert ended.status == 0, ended  # a warning
        (line,) = [each for each in ended.out.splitlines() if each.endswith(f"[{RULE}]")]
        assert line.startswith(f"{told.place}: warning: ")
        assert f"at {told.at}, " in line
        assert "connection refused" in line
        assert f"staplecfg serve --state-dir {told.lab.state} --listen {told.at}" in ended.out
        (found,) = told.findings("check")
        assert (f"{found['file']}:{found['line']}", found["site"]) == (told.place, NAME)

    def test_status_calls_a_person_in_every_format(self, told):
        text = told.cli("status")
        line = told.cli("status", "--format", "nagios")

        assert text.status == 1, text
        assert f"  {told.place}: warning: " in text.out
        assert "the local responder needs a person" in text.out
        assert told.findings("status") == told.findings("check") != []
        assert line.status == 1, line
        assert line.out.startswith(f"STAPLECFG WARNING - {told.place}: ")
        assert told.metric() == ["0.0"]
        assert told.cli("status", "--format", "prometheus").status == 1

    def test_it_is_over_when_it_is_back(self, told):
        assert told.findings("check") != []

        with serving(told.lab, told.port):
            assert told.findings("check") == []
            assert told.cli("status").status == 0

    @pytest.mark.parametrize("kind", ["nginx", "apache"])
    def test_with_must_staple_it_is_an_error(self, kind, tmp_path):
        with laboratory(kind, tmp_path, must_staple=True) as told:
            with serving(told.lab, told.port):
                told.apply()
                assert told.findings("check") == []

            assert told.cli("check").status == 1
            (found,) = told.findings("check")
            assert found["severity"] == "error"
            assert "Must-Staple" in found["problem"]
            assert told.cli("status").status == 1
            assert told.cli("status", "--format", "nagios").status == 2

    def test_one_that_hangs_is_waited_for_briefly(self, told):
        with serving(told.lab, told.port) as process:
            process.send_signal(signal.SIGSTOP)
            (found,) = told.findings("check")
            process.send_signal(signal.SIGCONT)

        assert "within 2 s" in found["problem"]

    def test_another_program_in_its_place_is_told(self, told):
        with listener(told.port) as asked:
            (found,) = told.findings("check")

        assert "HTTP status 404" in found["problem"]
        assert asked

    def test_one_that_reads_another_state_directory_is_told_apart(self, told, tmp_path):
        @dataclass
        class Elsewhere:
            state: Path

        (tmp_path / "elsewhere").mkdir()
        with serving(Elsewhere(tmp_path / "elsewhere"), told.port):
            (found,) = told.findings("check")
            assert told.cli("status").status == 1

        assert f"does not know the certificates of {told.lab.state}/store" in found["problem"]
        assert f"--state-dir {told.lab.state} " in found["hint"]

    def test_a_responder_that_is_none_of_ours_is_told(self, on_nginx, tmp_path):
        with OpensslResponder(on_nginx.lab.authority, tmp_path / "stranger") as stranger:
            stranger.start([])
            on_nginx.port = int(stranger.url.rpartition(":")[2].strip("/"))
            on_nginx.apply("--config-only")

            (found,) = on_nginx.findings("check")

        assert "the responder does not know the certificate" in found["problem"]

    def test_an_address_that_settings_have_left_is_asked_as_long_as_servers_ask_it(self, on_nginx):
        old, new = on_nginx.port, free_port()
        on_nginx.port = new

        with serving(on_nginx.lab, old):
            assert on_nginx.findings("check") == []
        with serving(on_nginx.lab, new):
            (found,) = on_nginx.findings("check")

        assert f"at 127.0.0.1:{old}, " in found["problem"]
        assert f"run staplecfg apply, for the settings say 127.0.0.1:{new}" in found["hint"]


class TestNobodyIsAsked:
    """A program that listens hears nothing, and nothing is said of it."""

    def quiet(self, told: Told, *more: str, commands: Sequence[str] = ("check", "status")) -> None:
        with listener(told.port) as asked:
            for command in commands:
                assert told.findings(command, *more) == []
        assert asked == []

    def test_without_a_network(self, told):
        self.quiet(told, "--offline")

    def test_about_sites_that_are_not_selected(self, told):
        self.quiet(told, "--site", "blog.example")

    def test_about_a_checkout_that_this_machines_state_knows_nothing_of(self, told, tmp_path):
        self.quiet(told, "--state-dir", str(tmp_path / "no-state"))

    def test_about_an_image_of_the_whole_machine(self, told, tmp_path):
        server = told.lab.server
        for each in (server.prefix, told.lab.state, told.lab.root / "pki"):
            shutil.copytree(each, tmp_path / each.relative_to("/"), symlinks=True)
        image = ("--root", str(tmp_path), "--config", str(server.config), "--server", told.kind)
        state = ("--state-dir", str(told.lab.state), "--listen", told.at)

        with listener(told.port) as asked:
            ended = run(["check", *image, *state, "--format", "json"])

        assert [each["site"] for each in ended.document["sites"]] == [NAME], ended
        assert RULE not in {each["rule"] for each in ended.document["findings"]}
        assert asked == []

    def test_by_a_diff(self, told):
        self.quiet(told, commands=["diff"])

    @pytest.mark.parametrize("kind", ["nginx", "apache"])
    def test_before_anything_was_applied_and_where_the_server_does_not_run(self, kind, tmp_path):
        with laboratory(kind, tmp_path) as told:
            self.quiet(told)
            told.apply("--config-only")
            told.lab.server.stop()
            self.quiet(told)

    def test_where_sites_have_another_delivery(self, on_nginx):
        with serving(on_nginx.lab, on_nginx.port):
            on_nginx.apply("--delivery", "file")

        self.quiet(on_nginx)
        assert on_nginx.metric() == []
