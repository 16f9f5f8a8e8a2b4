"""fetch and inspect with files that are missing, odd, in the way, or better than what comes."""

from __future__ import annotations

import os
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from staplecfg.cli.registry import COMMANDS, command
from tests.support.authority import Authority, Issued, pem
from tests.support.command_line import Ended, run
from tests.support.identity import as_nobody
from tests.support.responder import Responder, close_at_once
from tests.support.told import refused, told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.system

NOW = datetime.now(timezone.utc).replace(microsecond=0)
HOUR = timedelta(hours=1)


class Bench:
    """A responder, a certificate of its authority, and the two commands on them."""

    def __init__(self, directory: Path, responder: Responder) -> None:
        self.directory = directory
        self.responder = responder
        self.authority = responder.authority
        self.leaf = self.authority.leaf(["shop.example"], responders=[responder.url])
        self.certificate, self.key = self.leaf.write(directory, "shop")
        (directory / "root.pem").write_bytes(pem(self.authority.root.cert))
        self.out = directory / "staple.der"

    def good(self, **lies: object) -> bytes:
        return self.authority.respond(self.leaf, **{"now": NOW, **lies})  # type: ignore[arg-type] # any part may lie

    def fetch(self, *more: str, certificate: Path | None = None, out: Path | None = None) -> Ended:
        return run(
            [
                "fetch",
                str(certificate or self.certificate),
                "--output",
                str(out or self.out),
                "--trust",
                str(self.directory / "root.pem"),
                "--allow-network",
                "127.0.0.0/8",
                *more,
            ]
        )

    def inspect(self, response: Path, *more: str, certificate: Path | None = None) -> Ended:
        given = str(certificate or self.certificate)
        return run(["inspect", str(response), "--certificate", given, *more])


@pytest.fixture
def bench(open_path) -> Iterator[Bench]:
    with Responder(Authority.create()) as responder:
        yield Bench(open_path, responder)


def test_a_staple_is_fetched_and_inspected(bench):
    told(bench.fetch(), 0, "staple.der: good until", "signed by")
    told(bench.inspect(bench.out), 0, "may be stapled at")
    assert list(bench.directory.glob(".*")) == []


def test_fetched_again_a_file_is_never_made_worse(bench):
    bench.out.write_bytes(bench.good(this_update=NOW - HOUR / 2, next_update=14 * 24 * HOUR))
    before = (bench.out.read_bytes(), bench.out.stat().st_ino)

    # What the responder has is older and ends earlier.
    ended = bench.fetch()

    assert "Traceback" not in ended.err, ended
    assert ended.status in {0, 1}, ended
    assert (bench.out.read_bytes(), bench.out.stat().st_ino) == before


@pytest.mark.parametrize("old", ["good", "expired", "none"])
@pytest.mark.parametrize(
    "lie",
    [
        pytest.param({"next_update": -HOUR, "this_update": NOW - 9 * HOUR}, id="expired"),
        pytest.param({"status": "revoked", "revoked_at": NOW - HOUR}, id="revoked"),
        pytest.param({"status": "unknown"}, id="unknown"),
        pytest.param({"forge": True}, id="forged"),
        pytest.param({"serial": 7}, id="another certificate's"),
        pytest.param({"response_status": 3}, id="try later"),
        pytest.param({"next_update": None}, id="without an end"),
        pytest.param(None, id="silence"),
    ],
)
def test_nothing_that_is_not_good_is_ever_written(bench, lie, old):
    bench.responder.mode = (
        close_at_once if lie is None else lambda call: call.reply(call.respond(**lie))
    )
    if old == "good":
        bench.out.write_bytes(bench.good())
    elif old == "expired":
        bench.out.write_bytes(bench.good(this_update=NOW - 9 * HOUR, next_update=-HOUR))
    before = (bench.out.read_bytes(), bench.out.stat().st_ino) if old != "none" else None

    ended = bench.fetch()

    told(
        ended, 1, "nothing was written", *(["still holds one good until"] if old == "good" else [])
    )
    assert before == (
        (bench.out.read_bytes(), bench.out.stat().st_ino) if bench.out.exists() else None
    )
    assert [path.name for path in bench.directory.iterdir() if path.name.startswith(".")] == []


def test_an_expired_file_and_another_certificates_are_replaced(bench):
    other = bench.authority.leaf(["other.example"])
    for stale in (
        bench.good(this_update=NOW - 9 * HOUR, next_update=-HOUR),
        bench.authority.respond(other, now=NOW),
        bytes((0x30, 3, 0x0A, 1, 3)),
        b"",
    ):
        bench.out.write_bytes(stale)
        told(bench.fetch(), 0, "good until")
        told(bench.inspect(bench.out), 0)


FOREIGN: dict[str, Callable[[Bench], bytes]] = {
    "text": lambda _: b"my thesis\n",
    "a certificate in PEM": lambda bench: bench.leaf.fullchain,
    "a certificate in DER": lambda bench: bench.leaf.der,
    "a key": lambda bench: bench.leaf.key_pem,
    "half a response": lambda bench: bench.good()[:100],
    "a sequence of something": lambda _: b"\x30\x03\x02\x01\x05",
}


@pytest.mark.parametrize("case", FOREIGN)
def test_a_file_that_is_no_response_is_not_overwritten(bench, case):
    content = FOREIGN[case](bench)
    bench.out.write_bytes(content)

    refused(bench.fetch(), 2, str(bench.out), "is not overwritten", "name another file")

    assert bench.out.read_bytes() == content
    assert bench.responder.log == []


def test_a_link_stays_a_link(bench):
    real = bench.directory / "deep" / "real.der"
    real.parent.mkdir()
    bench.out.symlink_to("deep/real.der")

    for _ in range(2):
        told(bench.fetch(), 0, "good until")
        assert bench.out.is_symlink()
        assert not real.is_symlink()
        real.write_bytes(b"")  # and once more over an empty one
    told(bench.fetch(), 0)
    assert real.stat().st_size > 0


@pytest.mark.parametrize(
    ("prepare", "status", "words"),
    [
        pytest.param(lambda out: out.mkdir(), 3, "is a directory", id="a directory"),
        pytest.param(os.mkfifo, 3, "not a regular file", id="a pipe"),
        pytest.param(lambda out: out.symlink_to(out), 3, "symbolic links", id="a link to itself"),
    ],
)
def test_what_is_in_the_way_stays(bench, prepare, status, words):
    prepare(bench.out)
    before = bench.out.lstat()

    told(bench.fetch(), status, str(bench.out), words)

    assert (bench.out.lstat().st_ino, bench.out.lstat().st_mode) == (before.st_ino, before.st_mode)


def test_a_directory_that_is_not_there(bench):
    refused(bench.fetch(out=bench.directory / "no/such/staple.der"), 4, "no/such")
    assert not (bench.directory / "no").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_directory_that_may_not_be_written(bench):
    for name in COMMANDS:
        command(name)
    bench.inspect(bench.certificate)

    def act() -> None:
        refused(bench.fetch(), 4, "permission denied", "hint: run as root")

    as_nobody(bench.directory, act)
    assert not bench.out.exists()


def in_its_place(path: Path, make: Callable[[Path], object]) -> None:
    path.unlink()
    make(path)


CERTIFICATES: dict[str, tuple[Callable[[Path, Issued], object], str]] = {
    "missing": (lambda path, _: path.unlink(), "no such file"),
    "empty": (lambda path, _: path.write_bytes(b""), "is empty"),
    "a key": (lambda path, leaf: path.write_bytes(leaf.key_pem), "holds a private key"),
    "DER": (lambda path, leaf: path.write_bytes(leaf.der), "is DER, not PEM"),
    "a directory": (lambda path, _: in_its_place(path, Path.mkdir), "is a directory"),
    "a pipe": (lambda path, _: in_its_place(path, os.mkfifo), "not a regular file"),
}


@pytest.mark.parametrize("case", CERTIFICATES)
def test_a_certificate_of_no_use(bench, case):
    spoil, words = CERTIFICATES[case]
    bench.out.write_bytes(bench.good())
    before = bench.out.read_bytes()
    spoil(bench.certificate, bench.leaf)

    refused(bench.fetch(), 3, str(bench.certificate), words)
    refused(bench.inspect(bench.out), 3, str(bench.certificate), words)
    assert bench.out.read_bytes() == before


def test_a_certificate_whose_issuer_nobody_knows(bench):
    bench.certificate.write_bytes(pem(bench.leaf.cert))
    response = bench.directory / "response"
    response.write_bytes(bench.good())

    refused(bench.inspect(response), 3, "issuer is not known", "--issuer")
    told(bench.fetch(), 1, "issuer is not known", "nothing was written")
    issuer = bench.directory / "issuer.pem"
    issuer.write_bytes(pem(bench.authority.intermediate.cert))
    told(bench.inspect(response, "--issuer", str(issuer)), 0)
    told(bench.fetch("--issuer", str(issuer)), 0)
    issuer.write_bytes(pem(Authority.create("Another").root.cert))
    refused(bench.inspect(response, "--issuer", str(issuer)), 3, "none of its certificates issued")


def test_a_certificate_without_responder_has_nothing_to_fetch(bench):
    bench.certificate.write_bytes(bench.authority.leaf(["shop.example"]).fullchain)

    told(bench.fetch(), 1, "names no responder", "nothing was written")


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"text", id="text"),
        pytest.param(b"\x30" * 100_000, id="nested"),
        pytest.param(bytes((0x30, 3, 0x0A, 1, 3)), id="try later"),
    ],
)
def test_a_response_that_is_none_is_shown_and_may_not_be_stapled(bench, content):
    bench.out.write_bytes(content)

    told(bench.inspect(bench.out), 1, "response status", "may not be stapled")
    assert (
        bench.inspect(bench.out, "--format", "json").document["judgement"]["verdict"] == "rejected"
    )


def test_a_response_that_is_not_there(bench):
    refused(bench.inspect(bench.directory / "nothing"), 3, "nothing: no such file")


@pytest.mark.parametrize(
    ("at", "status"),
    [
        pytest.param(NOW.isoformat(), 0, id="now"),
        pytest.param((NOW + HOUR).strftime("%Y-%m-%dT%H:%M:%SZ"), 0, id="Z"),
        pytest.param((NOW + HOUR).strftime("%Y-%m-%dT%H:%M:%S"), 0, id="no offset is UTC"),
        pytest.param((NOW + 8 * 24 * HOUR).isoformat(), 1, id="expired by then"),
        pytest.param((NOW - 24 * HOUR).isoformat(), 1, id="not yet"),
        pytest.param("tomorrow", 2, id="a word"),
        pytest.param("", 2, id="nothing"),
        pytest.param("0001-01-01T00:00:00+14:00", 2, id="the first day"),
        pytest.param("9999-12-31T23:59:59-14:00", 2, id="the last day"),
    ],
)
def test_a_response_is_judged_as_of_a_time(bench, at, status):
    bench.out.write_bytes(bench.good())

    told(
        bench.inspect(bench.out, "--at", at),
        status,
        *(["--at takes a time"] if status == 2 else []),
    )


def test_terminal_escapes_in_certificates_and_names_are_written_out(bench):
    tricks = "\x1b]0;owned\x07\u202e"
    issuer = bench.authority.sub_authority(tricks)
    leaf = bench.authority.leaf(
        [], responders=[bench.responder.url], common_name=f"{tricks}\nx", issuer=issuer
    )
    chain, _ = leaf.write(bench.directory, f"{tricks}\nz")
    out = bench.directory / f"{tricks}\nout"
    out.write_bytes(bench.authority.respond(leaf, now=NOW))

    told(bench.inspect(out, certificate=chain), 0, "may be stapled")
    told(bench.fetch(certificate=chain, out=out), 1, "\\x1b]0;owned\\x07")
    told(bench.fetch(certificate=bench.certificate, out=out), 0, "\\x1b]0;owned\\x07")
    for document in (
        bench.fetch("--format", "json", certificate=chain, out=out),
        bench.inspect(out, "--format", "json", certificate=chain),
    ):
        assert document.out.isascii()
        told(document, document.status)
