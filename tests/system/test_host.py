"""probe HOST[:PORT]: servers of any make, and those that mean harm."""

from __future__ import annotations

import contextlib
import itertools
import socket
import subprocess
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.aging import DAY, now
from tests.support.authority import Authority, Issued, pem
from tests.support.command_line import Ended, run
from tests.support.nginx import Nginx, free_port, wait_until
from tests.support.relay import forward, listening
from tests.support.schema import require_valid

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.system

NAME = "www.example"


@dataclass
class Place:
    """An nginx that staples what it is told to, and knows nothing of staplecfg."""

    directory: Path
    nginx: Nginx
    authority: Authority = field(default_factory=Authority.create)
    port: int = field(default_factory=free_port)

    def serve(
        self, *leaves: Issued, staple: bytes | None = None, listening: str = "ssl", lines: str = ""
    ) -> None:
        if staple is not None:
            (self.directory / "staple.der").write_bytes(staple)
            lines += f"\nssl_stapling on;\nssl_stapling_file {self.directory}/staple.der;"
        files = [leaf.write(self.directory, f"leaf{i}") for i, leaf in enumerate(leaves)]
        self.nginx.site(
            NAME, listen=f"127.0.0.1:{self.port} {listening}", certificates=files, lines=lines
        )
        self.nginx.start()

    def leaf(self, **more) -> Issued:
        return self.authority.leaf([NAME], **{"responders": ["http://o.example/"], **more})

    def probe(self, *more: str, trusted: bool = True) -> Ended:
        (self.directory / "root.pem").write_bytes(pem(self.authority.root.cert))
        trust = ["--trust", str(self.directory / "root.pem")] if trusted else []
        return run(["probe", f"127.0.0.1:{self.port}", "--name", NAME, *trust, *more])

    def seen(self, *more: str, trusted: bool = True) -> list[dict[str, Any]]:
        document = self.probe("--format", "json", *more, trusted=trusted).document
        probes: list[dict[str, Any]] = require_valid(document)["probes"]
        return probes


@pytest.fixture
def place(tmp_path) -> Iterator[Place]:
    with Nginx(tmp_path / "nginx", workers=1) as nginx:
        yield Place(tmp_path, nginx)


def test_a_good_staple_is_good_in_both_versions(place):
    leaf = place.leaf()
    place.serve(leaf, staple=place.authority.respond(leaf, now=now()))

    assert place.probe().status == 0
    seen = place.seen()

    assert [(each["tls"], each["key"]) for each in seen] == [
        ("TLSv1.2", "ECDSA"),
        ("TLSv1.3", "ECDSA"),
    ]
    assert {each["verdict"] for each in seen} == {"served"}
    assert seen[0]["chain"]["fingerprint"] == leaf.sha256
    assert (seen[0]["chain"]["trusted"], seen[0]["chain"]["order"]) == (True, [])


def test_both_certificates_of_a_server_are_judged_in_both_versions(place):
    first, second = place.leaf(), place.leaf(key="rsa")
    place.serve(first, second, staple=place.authority.respond(first, now=now()))

    assert place.probe().status == 1
    verdicts = {(each["tls"], each["key"]): each["verdict"] for each in place.seen()}

    assert verdicts == {
        ("TLSv1.2", "ECDSA"): "served",
        ("TLSv1.2", "RSA"): "wrong",
        ("TLSv1.3", "ECDSA"): "served",
        ("TLSv1.3", "RSA"): "wrong",
    }


def test_must_staple_that_is_not_met_is_said_and_ends_in_1(place):
    place.serve(place.leaf(must_staple=True))

    ended = place.probe()

    assert ended.status == 1, ended
    assert "Must-Staple, RFC 7633" in ended.out
    assert all(each["must_staple_unmet"] for each in place.seen())


def test_must_staple_is_demanded_also_where_nobody_could_answer(place):
    place.serve(place.leaf(must_staple=True, responders=()))

    assert place.probe().status == 1


def test_where_no_staple_can_exist_none_is_missed(place):
    place.serve(place.leaf(responders=()))

    ended = place.probe()

    assert ended.status == 0, ended
    assert "none can: the certificate names no responder" in ended.out


def test_a_staple_that_could_be_there_is_missed(place):
    place.serve(place.leaf())

    assert place.probe().status == 1


def test_an_expired_staple_is_wrong(place):
    leaf = place.leaf()
    old = place.authority.respond(
        leaf, now=now(), this_update=now() - 9 * DAY, next_update=now() - DAY
    )
    place.serve(leaf, staple=old)

    assert place.probe().status == 1
    assert {each["verdict"] for each in place.seen()} == {"wrong"}


def test_a_root_nobody_knows_is_said_and_does_not_keep_the_staple_from_being_judged(place):
    leaf = place.leaf()
    place.serve(leaf, staple=place.authority.respond(leaf, now=now()))

    ended = place.probe(trusted=False)

    assert ended.status == 0, ended
    assert "not trusted" in ended.out
    assert place.seen(trusted=False)[0]["chain"]["trusted"] is False


def test_an_issuer_that_is_not_presented_can_be_named(place):
    leaf = place.leaf(ca_issuers=["http://ca.example/int.crt"])
    bare = Issued(leaf.cert, leaf.key, (), leaf.issuer)
    place.serve(bare, staple=place.authority.respond(leaf, now=now()))
    (place.directory / "int.pem").write_bytes(pem(place.authority.intermediate.cert))

    unknown = place.probe()
    known = place.probe("--issuer", str(place.directory / "int.pem"))

    assert unknown.status == 1, unknown
    assert "not-testable" in unknown.out
    assert "http://ca.example/int.crt, which is not fetched" in unknown.out
    assert known.status == 0, known


def test_certificates_out_of_order_are_said(place):
    leaf = place.leaf()
    mixed = Issued(leaf.cert, leaf.key, (place.authority.root.cert, *leaf.chain), leaf.issuer)
    place.serve(mixed, staple=place.authority.respond(leaf, now=now()))

    (order, _) = (each["chain"]["order"] for each in place.seen())

    assert any("root" in said for said in order)


def test_the_proxy_protocol_is_spoken_when_asked_for(place):
    leaf = place.leaf()
    staple = place.authority.respond(leaf, now=now())
    place.serve(leaf, staple=staple, listening="ssl proxy_protocol")

    assert place.probe("--proxy-protocol").status == 0
    assert place.probe().status == 1


def test_a_version_that_is_not_spoken_is_not_testable_and_no_fault(place):
    leaf = place.leaf()
    staple = place.authority.respond(leaf, now=now())
    place.serve(leaf, staple=staple, lines="ssl_protocols TLSv1.3;")

    ended = place.probe()

    assert ended.status == 0, ended
    assert "it does not speak TLSv1.2" in ended.out


def test_of_many_handshakes_the_worst_one_counts(tmp_path):
    """A balancer before two servers, of which one staples."""
    authority = Authority.create()
    leaf = authority.leaf([NAME], responders=["http://o.example/"])
    staple = authority.respond(leaf, now=now())
    with (
        Nginx(tmp_path / "one", workers=1) as one,
        Nginx(tmp_path / "two", workers=1) as two,
        balancer(first := Place(tmp_path, one), second := Place(tmp_path, two)) as port,
    ):
        first.authority = second.authority = authority
        first.serve(leaf, staple=staple)
        second.serve(leaf)

        once = run(["probe", f"127.0.0.1:{port}", "--name", NAME, "--format", "json"])
        often = run(
            ["probe", f"127.0.0.1:{port}", "--name", NAME, "--count", "10", "--format", "json"]
        )

    assert sum(sum(p["handshakes"].values()) for p in once.document["probes"]) == 2
    assert often.status == 1
    assert [each["verdict"] for each in often.document["probes"]] == ["missing", "missing"]
    assert {sum(p["handshakes"].values()) for p in often.document["probes"]} == {10}
    assert all(p["handshakes"]["served"] for p in often.document["probes"])


@contextlib.contextmanager
def balancer(*places: Place) -> Iterator[int]:
    """Forward each connection to the next of `places`."""
    turn = itertools.cycle(places)
    with listening(lambda client: forward(client, next(turn).port)) as port:
        yield port


def drip(client: socket.socket) -> None:
    """Send a TLS record's beginning, a byte at a time, for ever."""
    for byte in itertools.chain(b"\x16\x03\x03\x40\x00", itertools.repeat(0)):
        client.sendall(bytes([byte]))
        time.sleep(0.2)


def silent(client: socket.socket) -> None:
    while client.recv(65536):
        pass


@pytest.mark.parametrize(
    "harm",
    [
        pytest.param(drip, id="drips"),
        pytest.param(silent, id="says nothing"),
        pytest.param(lambda client: client.sendall(b"SSH-2.0-x\r\n"), id="speaks no TLS"),
        pytest.param(lambda _: None, id="hangs up"),
    ],
)
def test_a_server_that_means_harm_is_refused_in_bounded_time(harm):
    with listening(harm) as port:
        ended = run(["probe", f"127.0.0.1:{port}", "--format", "json"])

    assert ended.status == 1, ended
    assert {each["verdict"] for each in require_valid(ended.document)["probes"]} == {"refused"}


def test_nobody_listening_is_refused_at_once():
    ended = run(["probe", f"127.0.0.1:{free_port()}"])

    assert ended.status == 1
    assert ended.out.count("refused") >= 1


def test_a_server_of_another_make_is_judged(tmp_path):
    """OpenSSL's own server: it staples a file, like many do."""
    authority = Authority.create()
    leaf = authority.leaf([NAME], responders=["http://o.example/"])
    (tmp_path / "staple.der").write_bytes(authority.respond(leaf, now=now()))
    chain, key = leaf.write(tmp_path, "leaf")
    port = free_port()
    argv = ["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert", str(chain)]
    argv += ["-cert_chain", str(chain), "-key", str(key), "-quiet"]
    argv += ["-status_file", str(tmp_path / "staple.der")]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as server:
        try:
            wait_until(lambda: answers(port), "s_server to listen")
            ended = run(["probe", f"127.0.0.1:{port}", "--name", NAME])
        finally:
            server.kill()

    assert ended.status == 0, ended
    assert "2 served" in ended.out


def answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


@pytest.mark.parametrize(
    ("words", "status"),
    [
        pytest.param(["https://www.example/"], 2, id="a URL"),
        pytest.param(["www.example:0"], 2, id="no port"),
        pytest.param(["www.example:x"], 2, id="no number"),
        pytest.param(["[www.example]:443"], 2, id="no address in brackets"),
        pytest.param(["a:b:c"], 2, id="colons"),
        pytest.param([""], 2, id="nothing"),
        pytest.param(["www.example", "--count", "0"], 2, id="no handshakes"),
        pytest.param(["--name", "www.example"], 2, id="a name for no host"),
        pytest.param(["www.example", "--offline"], 2, id="offline"),
        pytest.param(["no-such-host.invalid"], 3, id="a name that does not resolve"),
    ],
)
def test_what_names_no_server_is_refused(words, status):
    ended = run(["probe", *words])

    assert ended.status == status, ended
    assert ended.err.startswith("staplecfg: error: ")
