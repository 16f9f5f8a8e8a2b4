from __future__ import annotations

from datetime import datetime, timedelta, timezone
from ipaddress import ip_network

import pytest

from staplecfg.model.settings import Floors, Responders
from staplecfg.model.verdict import Good, Reason, Rejected, Unreachable
from staplecfg.pki.judge import judge
from staplecfg.staples.http import FRAMING, MOST_BODY, MOST_HEAD
from staplecfg.staples.renew import Renewal, renew
from staplecfg.staples.store import Store
from tests.support.authority import Authority
from tests.support.chains import chain_of
from tests.support.misbehaviour import MODES, TIME
from tests.support.responder import Responder

NOW = datetime(2026, 1, 15, 12, tzinfo=timezone.utc)
DAY = timedelta(days=1)
FLOORS = Floors()
LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
PATIENT = timedelta(seconds=20)
HURRIED = timedelta(seconds=0.5)
IN_FLIGHT = 16 * 1024 * 1024
"""What the kernel may hold of what was sent, read by nobody."""

STAPLED = {
    "honest",
    "signed by a delegate",
    "SHA-256 only",
    "stale in the cache",
    "203",
    "GET refused",
    "GET answered with a page",
    "GET malformed",
    "hates double slashes",
    "no content type",
    "content type with parameters",
    "chunked",
    "chunked with extensions and trailers",
    "Content-Length nonsense",
    "HTTP/1.0 up to the end of the connection",
    "100 Continue first",
    "connection held open",
    "header without a colon",
    "takes its time",
}
JUDGED = {
    "tryLater": Reason.UNSUCCESSFUL,
    "internalError": Reason.UNSUCCESSFUL,
    "malformedRequest": Reason.UNSUCCESSFUL,
    "sigRequired": Reason.UNSUCCESSFUL,
    "unauthorized": Reason.UNSUCCESSFUL,
    "an error status nobody knows": Reason.UNSUCCESSFUL,
    "success without a response": Reason.MALFORMED,
    "other serial": Reason.OTHER_CERTIFICATE,
    "other issuer's key": Reason.OTHER_CERTIFICATE,
    "other issuer's name": Reason.OTHER_CERTIFICATE,
    "revoked": Reason.REVOKED,
    "good and revoked": Reason.REVOKED,
    "unknown": Reason.UNKNOWN,
    "expired": Reason.TIME,
    "expires in a minute": Reason.TIME,
    "from the future": Reason.TIME,
    "older than the kept one": Reason.OLDER,
    "no nextUpdate": Reason.TIME,
    "nextUpdate before thisUpdate": Reason.TIME,
    "valid for ten years": Reason.TIME,
    "signed by another authority": Reason.SIGNER,
    "signed by a namesake": Reason.SIGNER,
    "signed by a server certificate": Reason.SIGNER,
    "signed by an expired delegate": Reason.SIGNER,
    "forged": Reason.SIGNATURE,
    "signed with SHA-1": Reason.ALGORITHM,
    "unknown critical extension": Reason.EXTENSION,
    "PEM": Reason.MALFORMED,
    "a web page in disguise": Reason.MALFORMED,
    "trailing bytes": Reason.MALFORMED,
    "truncated": Reason.MALFORMED,
    "NUL bytes": Reason.MALFORMED,
    "Content-Length too short": Reason.MALFORMED,
}
REFUSED = {
    "empty": "its body is empty",
    "404": "HTTP status 404",
    "407": "HTTP status 407",
    "500": "HTTP status 500",
    "503 with Retry-After": "HTTP status 503",
    "429 with a date": "HTTP status 429",
    "503 with Retry-After garbage": "HTTP status 503",
    "204": "HTTP status 204",
    "206": "HTTP status 206",
    "101": "HTTP status 101",
    "redirect to the metadata service": "http://169.254.169.254/latest/meta-data/; redirects are",
    "redirect to itself": "HTTP status 301, redirected to",
    "redirect with escape sequences": "redirected to http:// [2J a b/",
    "content type text/html": 'of type "text/html"',
    "good, but octet-stream": 'of type "application/octet-stream"',
    "gzip": 'encoded ("gzip")',
    "gzip bomb": 'encoded ("gzip")',
    "unknown encoding": "encoded",
    "chunked without an end": "cut off",
    "chunked with a broken size": "cut off",
    "chunked with a negative size": "not framed as HTTP is",
    "Content-Length too long": "cut off",
    "Content-Length twice": "not framed as HTTP is",
    "HTTP/0.9": "not HTTP",
    "a mail server": "not HTTP",
    "TLS": "not HTTP",
    "ends inside the headers": 'of type "application/ocsp-"',
    "ends after the status line": "empty",
    "never answers": "no complete answer within 0.5 s",
    "drips its head": "no complete answer within 0.5 s",
    "drips headers": "no complete answer within 0.5 s",
    "drips its body": "no complete answer within 0.5 s",
    "drips chunks": "no complete answer within 0.5 s",
    "drips trailers": "no complete answer within 0.5 s",
    "drips 100 Continue": "no complete answer within 0.5 s",
    "stops after its head": "no complete answer within 0.5 s",
    "endless headers": "not HTTP (got more than 100 headers)",
    "one endless header": "not HTTP (got more than 65536 bytes",
    "headers as large as allowed, and many": "sends too much",
    "endless status line": "not HTTP (got more than 65536 bytes",
    "endless 100 Continue": "sends too much",
    "endless body": "longer than 65536 bytes",
    "endless body with a length": "99999999999 bytes long",
    "endless chunks": "longer than 65536 bytes",
    "one huge chunk": "longer than 65536 bytes",
    "endless chunk size": "not framed",
    "endless chunk extension": "not framed",
    "endless trailers": "sends too much",
    "a body one byte too long": "65537 bytes long",
    "closes at once": "closed the connection without an answer",
    "resets at once": "broke the connection off",
    "resets in the body": "cut off",
}


def test_every_mode_is_in_the_table_once_and_there_are_at_least_forty():
    tables = [*STAPLED, *JUDGED, *REFUSED]

    assert sorted(tables) == sorted(MODES)
    assert len(JUDGED) + len(REFUSED) >= 40


class Bench:
    """A responder that misbehaves, a certificate that names it, and a store with a good staple."""

    def __init__(self, responder: Responder, store: Store, total: timedelta) -> None:
        self.responder = responder
        self.store = store
        self.settings = Responders(
            allow_networks=LOOPBACK, total=total, per_certificate=timedelta(seconds=30)
        )
        issued = responder.authority.leaf(["a.example"], responders=[responder.url])
        self.chain = chain_of(issued)
        self.kept = responder.authority.respond(
            issued, now=NOW, this_update=NOW - 4 * DAY, next_update=NOW + 2 * DAY
        )
        assert self.chain.issuer is not None
        judged = judge(self.kept, self.chain.leaf, self.chain.issuer, now=NOW - DAY, floors=FLOORS)
        assert isinstance(judged, Good), judged
        store.save(judged.staple, self.chain, now=NOW - DAY)

    def renew(self) -> Renewal:
        (renewal,) = renew(
            [(self.chain, False)],
            self.store,
            clock=lambda: NOW,
            settings=self.settings,
            floors=FLOORS,
        )
        return renewal

    @property
    def stored(self) -> bytes:
        return self.store.path(self.chain.fingerprint).read_bytes()


@pytest.fixture
def bench(request, tmp_path):
    name = request.param
    responder = Responder(Authority.create(), mode=MODES[name], path="/ocsp/", clock=lambda: NOW)
    total = HURRIED if name in TIME and name not in STAPLED else PATIENT
    with responder:
        yield Bench(responder, Store(tmp_path, floors=FLOORS), total)


@pytest.mark.parametrize("bench", sorted(STAPLED), indirect=True)
def test_an_odd_but_good_answer_is_stored_as_it_was_received(bench):
    renewal = bench.renew()

    assert isinstance(renewal.outcome, Good), renewal.outcome
    assert bench.stored == renewal.outcome.staple.der != bench.kept
    assert renewal.outcome.staple.fingerprint == bench.chain.fingerprint
    assert bench.store.load(bench.chain, NOW).staple == renewal.stored.staple
    assert len(bench.responder.log) <= 3


@pytest.mark.parametrize(
    ("bench", "reason"),
    [pytest.param(name, reason, id=name) for name, reason in JUDGED.items()],
    indirect=["bench"],
)
def test_a_response_that_may_not_be_stapled_is_not_stored(bench, reason):
    renewal = bench.renew()

    assert isinstance(renewal.outcome, Rejected), renewal.outcome
    assert renewal.outcome.reason is reason, renewal.outcome
    assert renewal.outcome.problem.startswith(f"{bench.responder.url}: ")
    the_kept_one_is_safe(bench, renewal)


@pytest.mark.parametrize(
    ("bench", "words"),
    [pytest.param(name, words, id=name) for name, words in REFUSED.items()],
    indirect=["bench"],
)
def test_what_is_no_answer_costs_bounded_time_and_bytes_and_one_line(bench, words):
    renewal = bench.renew()

    assert isinstance(renewal.outcome, Unreachable), renewal.outcome
    assert renewal.outcome.url == bench.responder.url
    assert words in renewal.outcome.problem
    the_kept_one_is_safe(bench, renewal)


def the_kept_one_is_safe(bench: Bench, renewal: Renewal) -> None:
    assert not isinstance(renewal.outcome, Good)
    assert bench.stored == bench.kept
    assert renewal.stored.staple is not None
    assert renewal.stored.staple.der == bench.kept
    assert getattr(renewal.outcome, "problem", "\n").isprintable()
    assert 1 <= len(bench.responder.log) <= 3
    attempts = bench.store.attempts(bench.chain.fingerprint)
    assert attempts.failures == 1
    assert attempts.not_before is not None
    assert attempts.not_before > NOW
    allowance = MOST_HEAD + MOST_BODY + FRAMING
    assert bench.responder.sent <= 3 * (allowance + IN_FLIGHT)
