"""The local responder: who is answered with what, and what it makes of everybody else."""

from __future__ import annotations

import base64
import contextlib
import random
import resource
import threading
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.ocsp import OCSPRequestBuilder

from staplecfg.model.errors import UsageProblem
from staplecfg.model.settings import Endpoint, Floors
from staplecfg.model.verdict import Good
from staplecfg.pki.judge import judge
from staplecfg.pki.request import request_for
from staplecfg.staples.serve import require_loopback
from staplecfg.staples.store import Store
from tests.support.authority import Authority
from tests.support.chains import chain_of
from tests.support.serving import Serving, received

if TYPE_CHECKING:
    from tests.support.authority import Issued

NOW = datetime(2026, 1, 15, 12, tzinfo=timezone.utc)
DAY = timedelta(days=1)
AUTHORITY = Authority.create()
ISSUER = AUTHORITY.intermediate.cert
SHOP = AUTHORITY.leaf(["shop.example"], responders=["http://o.example/"])
BLOG = AUTHORITY.leaf(["blog.example"], responders=["http://o.example/"], key="rsa")
STRANGER = AUTHORITY.leaf(["else.example"])

MALFORMED, TRY_LATER, UNAUTHORIZED = (bytes((0x30, 3, 0x0A, 1, n)) for n in (1, 3, 6))


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


def keep(store: Store, issued: Issued, **lies: object) -> bytes:
    der = AUTHORITY.respond(issued, **{"now": NOW, **lies})  # type: ignore[arg-type]  # a test names the lies
    chain = chain_of(issued)
    assert chain.issuer is not None
    judged = judge(der, chain.leaf, chain.issuer, now=NOW, floors=Floors())
    assert isinstance(judged, Good), judged
    store.save(judged.staple, chain, now=NOW)
    return der


def asking(issued: Issued, digest: hashes.HashAlgorithm | None = None) -> bytes:
    builder = OCSPRequestBuilder().add_certificate(
        issued.cert,
        issued.issuer_cert,
        digest or hashes.SHA1(),  # noqa: S303 - RFC 5019's CertID
    )
    return builder.build().public_bytes(Encoding.DER)


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path, floors=Floors())


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def serving(store, clock):
    with Serving(store, clock=clock) as running:
        yield running


def b64(data: bytes) -> bytes:
    return base64.b64encode(data)


@pytest.mark.parametrize(
    "digest",
    [hashes.SHA1(), hashes.SHA224(), hashes.SHA256(), hashes.SHA384(), hashes.SHA512()],  # noqa: S303 - RFC 5019's CertID
    ids=lambda digest: digest.name,
)
def test_whoever_asks_by_certid_is_given_the_very_bytes(store, serving, digest):
    der, other = keep(store, SHOP), keep(store, BLOG)

    assert serving.post(asking(SHOP, digest)).body == der
    assert serving.post(asking(BLOG, digest)).body == other


@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
def test_an_answer_is_whole_and_then_the_connection_ends(store, serving, version):
    der = keep(store, SHOP)

    for reply in (
        serving.get(b"/" + quote(b64(asking(SHOP)), safe="").encode(), version),
        serving.post(asking(SHOP), version),
        serving.post(asking(SHOP), version, more=b"Connection: keep-alive\r\n"),
    ):
        assert reply.status == 200
        assert reply.body == der
        assert reply.headers["content-type"] == "application/ocsp-response"
        assert reply.headers["content-length"] == str(len(der))
        assert reply.headers["connection"] == "close"


GETS = [
    pytest.param(lambda b: b"/" + quote(b, safe="").encode(), id="escaped"),
    pytest.param(lambda b: b"/" + b, id="as it is"),
    pytest.param(lambda b: b"//" + quote(b, safe="").encode(), id="two slashes"),
    pytest.param(lambda b: b"/" + b.rstrip(b"="), id="no padding"),
    pytest.param(
        lambda b: b"/" + b.replace(b"+", b"%2b").replace(b"/", b"%2f").replace(b"=", b"%3d"),
        id="lower-case escapes",
    ),
    pytest.param(lambda b: b"http://127.0.0.1:889/" + b, id="a whole URL"),
    pytest.param(lambda b: b"/" + b + b"?x=1", id="a query behind it"),
    pytest.param(lambda b: b"/" + b + b"/", id="a slash behind it"),
]


@pytest.mark.parametrize("written", GETS)
def test_a_get_is_understood_however_it_is_written(store, serving, written):
    # One whose base64 has every odd character in it.
    dice = random.Random(1)
    serials = (dice.getrandbits(150) for _ in range(5000))
    odd = next(
        issued
        for issued in (AUTHORITY.leaf(["a.example"], serial=serial) for serial in serials)
        if {b"+", b"/"} <= {bytes([octet]) for octet in b64(asking(issued))}
    )
    der = keep(store, odd)

    assert serving.get(written(b64(asking(odd)))).body == der


def test_a_request_in_pieces_and_one_in_chunks_are_heard_out(store, serving):
    der, body = keep(store, SHOP), asking(SHOP)
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body)

    assert serving.say(*(bytes([octet]) for octet in head + body)).body == der
    chunked = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert serving.say(chunked, b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)).body == der


def test_expect_continue_is_answered(store, serving):
    der = keep(store, SHOP)

    reply = serving.post(asking(SHOP), more=b"Expect: 100-continue\r\n")

    assert reply.raw.startswith(b"HTTP/1.1 100 ")
    assert reply.raw.endswith(der)


def test_one_request_about_two_is_answered_by_one_response_about_both(store, serving):
    both = AUTHORITY.respond(SHOP, now=NOW, also=[AUTHORITY.single(BLOG, now=NOW)])
    for issued in (SHOP, BLOG):
        keep(store, issued, this_update=NOW - DAY)
        judged = judge(both, issued.cert, ISSUER, now=NOW, floors=Floors())
        assert isinstance(judged, Good)
        store.save(judged.staple, chain_of(issued), now=NOW)
    question = request_for([SHOP.cert, BLOG.cert], ISSUER)

    assert serving.post(question).body == both


def test_two_separate_responses_are_no_answer_to_one_request(store, serving):
    keep(store, SHOP)
    keep(store, BLOG)

    assert serving.post(request_for([SHOP.cert, BLOG.cert], ISSUER)).body == UNAUTHORIZED


def test_a_certificate_nobody_keeps_staples_for_is_not_answered(store, serving):
    keep(store, SHOP)

    assert serving.post(asking(STRANGER)).body == UNAUTHORIZED


@pytest.mark.parametrize("after", [7 * DAY, 8 * DAY])
def test_the_expired_is_never_given(store, serving, clock, after):
    keep(store, SHOP)
    clock.now = NOW + 7 * DAY - timedelta(seconds=1)
    assert len(serving.post(asking(SHOP)).body) > 100

    clock.now = NOW + after

    assert serving.post(asking(SHOP)).body == TRY_LATER


def test_what_begins_in_the_future_is_not_given_once_the_clock_is_set_back(store, serving, clock):
    der = keep(store, SHOP)
    assert serving.post(asking(SHOP)).body == der

    clock.now = NOW - DAY

    assert serving.post(asking(SHOP)).body == TRY_LATER


def test_a_responders_certificate_ends_an_answer_too(store, serving, clock):
    signer = AUTHORITY.delegate(not_after=NOW + DAY)
    keep(store, SHOP, signer=signer)
    clock.now = NOW + DAY + timedelta(seconds=1)

    assert serving.post(asking(SHOP)).body == TRY_LATER


def test_a_changed_file_is_answered_from_at_once(store, serving):
    keep(store, SHOP, this_update=NOW - DAY)
    assert len(serving.post(asking(SHOP)).body) > 100

    newer = keep(store, SHOP)

    assert serving.post(asking(SHOP)).body == newer


def test_a_new_certificate_is_answered_for_without_a_restart(store, serving):
    assert serving.post(asking(SHOP)).body == UNAUTHORIZED

    der = keep(store, SHOP)

    assert serving.post(asking(SHOP)).body == der


@pytest.mark.parametrize(
    ("content", "reply"),
    [
        pytest.param(b"", TRY_LATER, id="nothing"),
        pytest.param(b"\x30\x82", TRY_LATER, id="cut short"),
        pytest.param(AUTHORITY.respond(BLOG, now=NOW), TRY_LATER, id="a neighbour's"),
        pytest.param(AUTHORITY.respond(SHOP, now=NOW, forge=True), TRY_LATER, id="forged"),
        pytest.param(AUTHORITY.respond(SHOP, now=NOW, status="revoked"), TRY_LATER, id="revoked"),
        pytest.param(UNAUTHORIZED, TRY_LATER, id="an error"),
    ],
)
def test_what_somebody_put_into_the_store_is_judged(store, serving, content, reply):
    keep(store, SHOP)
    assert len(serving.post(asking(SHOP)).body) > 100

    store.path(SHOP.sha256).write_bytes(content)

    assert serving.post(asking(SHOP)).body == reply


def test_a_file_that_is_gone_is_not_answered_from(store, serving):
    keep(store, SHOP)
    assert len(serving.post(asking(SHOP)).body) > 100

    store.path(SHOP.sha256).unlink()
    assert serving.post(asking(SHOP)).body == TRY_LATER

    store.path(SHOP.sha256).with_suffix(".crt").unlink()
    assert serving.post(asking(SHOP)).body == UNAUTHORIZED


@pytest.mark.parametrize(
    ("said", "status"),
    [
        pytest.param(b"GET / HTTP/1.0\r\n\r\n", 200, id="nothing asked"),
        pytest.param(b"GET /favicon.ico HTTP/1.1\r\nHost: x\r\n\r\n", 200, id="something else"),
        pytest.param(b"GET /%zz%% HTTP/1.0\r\n\r\n", 200, id="bad escapes"),
        pytest.param(b"HEAD / HTTP/1.0\r\n\r\n", 405, id="HEAD"),
        pytest.param(b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n", 405, id="PUT"),
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", 400, id="no host in 1.1"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\nBad Header: 1\r\n\r\n", 400, id="bad header"),
        pytest.param(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 405, id="HTTP/2"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400, id="TLS"),
        pytest.param(b"GET /" + b"A" * 20000 + b" HTTP/1.0\r\n\r\n", 431, id="a long line"),
        pytest.param(b"GET / HTTP/1.0\r\n" + b"X: y\r\n" * 5000 + b"\r\n", 431, id="many headers"),
        pytest.param(
            b"POST / HTTP/1.0\r\nContent-Length: 100000\r\n\r\n" + b"x" * 100000,
            413,
            id="a huge body",
        ),
        pytest.param(
            b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"1000\r\n" + b"x" * 4096 + b"\r\n" + (b"1000\r\n" + b"x" * 4096 + b"\r\n") * 9,
            413,
            id="chunks without end",
        ),
        pytest.param(b"POST / HTTP/1.0\r\nContent-Length: -1\r\n\r\n", 400, id="a negative length"),
    ],
)
def test_nonsense_is_refused_in_words_of_http(store, serving, said, status):
    der = keep(store, SHOP)

    reply = serving.say(said)

    assert reply.status == status, reply
    assert reply.headers["connection"] == "close"
    if status == 200:
        assert reply.body == MALFORMED
    assert serving.post(asking(SHOP)).body == der


def test_random_bytes_are_survived(store, serving):
    der = keep(store, SHOP)
    dice = random.Random(20260115)
    good = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 75\r\n\r\n" + asking(SHOP)
    for _ in range(300):
        noise = bytearray(good if dice.random() < 0.7 else dice.randbytes(dice.randrange(400)))
        for _ in range(dice.randrange(8)):
            if noise:
                noise[dice.randrange(len(noise))] = dice.randrange(256)
        with serving.connect() as client, contextlib.suppress(OSError):
            client.sendall(noise)
    assert serving.post(asking(SHOP)).body == der


@pytest.mark.parametrize(
    "begun",
    [
        pytest.param(b"", id="says nothing"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\nX: ", id="drips a header"),
        pytest.param(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9000\r\n\r\n", id="a body"),
    ],
)
def test_whoever_takes_too_long_is_thrown_out(store, begun):
    keep(store, SHOP)
    with Serving(store, clock=Clock(), seconds=1.0) as serving, serving.connect() as client:
        client.settimeout(0.05)
        client.sendall(begun)
        ended = False
        while not ended:  # or the test's own timeout says that it never does
            with contextlib.suppress(TimeoutError):
                try:
                    if begun:
                        client.sendall(b"a")
                    ended = not client.recv(100)
                except ConnectionError:
                    ended = True


def test_one_who_does_not_read_is_thrown_out_too(store):
    # An answer larger than what fits into the sockets' buffers is not to be had; the clock
    # that ends this connection is the same one, so it is enough that it still runs.
    der = keep(store, SHOP)
    with Serving(store, clock=Clock(), seconds=0.5) as serving, serving.connect() as client:
        client.sendall(b"GET / HT")
        assert received(client) == b""
        assert serving.post(asking(SHOP)).body == der


def test_two_thousand_who_stand_about_keep_nobody_out(store):
    der = keep(store, SHOP)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 8000:
        pytest.skip("the limit on open files is too low here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 8000), hard))
    # They stay for longer than this test may last.
    with (
        Serving(store, clock=Clock(), seconds=3600) as serving,
        contextlib.ExitStack() as crowd,
    ):
        for number in range(2000):
            client = crowd.enter_context(serving.connect())
            client.sendall(b"GET / HT" if number % 2 else b"")
        for _ in range(50):
            assert serving.post(asking(SHOP)).body == der


def test_thousands_of_questions_from_several_at_once_are_all_answered(store, serving):
    der = keep(store, SHOP)
    question = asking(SHOP)
    wrong: list[object] = []

    def ask() -> None:
        wrong.extend(reply for _ in range(250) if (reply := serving.post(question).body) != der)

    askers = [threading.Thread(target=ask) for _ in range(8)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()

    assert wrong == []


def test_stopping_waits_for_nobody_for_long(store):
    keep(store, SHOP)
    with Serving(store, clock=Clock()) as serving:
        idle = serving.connect()
        assert serving.post(asking(SHOP)).status == 200
        serving.stop()
        with idle:
            assert received(idle) == b""
        with pytest.raises(OSError, match="refused"):
            serving.connect()


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::", "2001:db8::1"])
def test_other_machines_are_kept_out(host):
    with pytest.raises(UsageProblem):
        require_loopback(Endpoint(host, 889))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.53", "::1"])
def test_this_machine_is_let_in(host):
    require_loopback(Endpoint(host, 889))
