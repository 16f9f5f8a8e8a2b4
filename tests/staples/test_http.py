from __future__ import annotations

import base64
import contextlib
import socket
import threading
import time
from datetime import datetime, timedelta, timezone
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Any

import pytest

from staplecfg.staples.address import Allowed
from staplecfg.staples.http import exchange
from staplecfg.staples.message import Answer, Barred, Broken, Request, Route, Silent, Useless
from staplecfg.staples.url import parse_proxy, parse_url
from staplecfg.staples.wire import Deadline, TooMuch, connect
from tests.support.authority import Authority
from tests.support.misbehaviour import SIZE, replying
from tests.support.responder import Responder

if TYPE_CHECKING:
    from staplecfg.staples.address import Resolve
    from staplecfg.staples.message import Outcome
    from tests.support.responder import Mode

NOW = datetime(2026, 1, 15, 12, tzinfo=timezone.utc)
LOOPBACK = Allowed((ip_network("127.0.0.1/32"), ip_network("::1/128")))
OCSP = "application/ocsp-response"


def answering(body: bytes) -> Mode:
    return lambda call: call.reply(body)


def ask(
    url: str,
    *,
    allowed: Allowed = LOOPBACK,
    seconds: float = 20.0,
    proxy: str | None = None,
    resolve: Resolve | None = None,
    **request: Any,
) -> Outcome:
    route = Route(allowed, None if proxy is None else parse_proxy(proxy))
    if resolve is not None:
        route = Route(allowed, route.proxy, resolve)
    asked = Request(parse_url(url), OCSP, **request)
    return exchange(asked, route, deadline=Deadline(seconds), now=NOW)


@pytest.fixture
def responder():
    with Responder(Authority.create(), mode=answering(b"answer")) as running:
        yield running


def test_a_get_carries_what_it_needs_and_nothing_that_tells_on_us(responder):
    assert ask(f"{responder.url}/path") == Answer(b"answer")

    (request,) = responder.log
    assert (request.method, request.target, request.body) == ("GET", "/path", b"")
    assert request.headers.pop("user-agent").startswith("staplecfg/")
    assert request.headers == {
        "host": f"127.0.0.1:{responder.port}",
        "accept": OCSP,
        "accept-encoding": "identity",
        "connection": "close",
    }


def test_a_post_carries_its_type_and_caches_are_passed_only_where_asked(responder):
    ask(responder.url, body=b"x", content_type="application/ocsp-request", past_caches=True)

    (request,) = responder.log
    assert (request.method, request.target, request.body) == ("POST", "/", b"x")
    assert request.headers["content-type"] == "application/ocsp-request"
    assert request.headers["cache-control"] == "no-cache"


def test_the_name_is_looked_up_once_and_sent_as_the_host(responder):
    asked = []

    def resolve(host):
        asked.append(host)
        return ["127.0.0.1"]

    outcome = ask(f"http://o.example:{responder.port}/", resolve=resolve)

    assert outcome == Answer(b"answer")
    assert asked == ["o.example"]
    assert responder.log[0].headers["host"] == f"o.example:{responder.port}"


def test_of_mixed_addresses_only_the_allowed_ones_are_connected_to(responder):
    # 127.0.0.2 would answer too: the listener is asked for by its exact address alone.
    with Responder(responder.authority, host="127.0.0.2", port=responder.port) as forbidden:
        url = f"http://o.example:{responder.port}/"
        outcome = ask(url, resolve=lambda _: ["127.0.0.2", "169.254.169.254", "127.0.0.1"])

        assert outcome == Answer(b"answer")
        assert forbidden.log == []


def test_a_name_that_resolves_to_loopback_is_not_connected_to(responder):
    url = f"http://localhost:{responder.port}/"

    outcome = ask(url, allowed=Allowed(private=True))

    assert isinstance(outcome, Barred)
    assert "loopback" in outcome.problem
    assert outcome.hint is not None
    assert "--allow-network" in outcome.hint
    assert responder.log == []


def test_a_redirect_is_not_followed(responder):
    with Responder(responder.authority) as other:
        responder.mode = replying("302 Found", {"Location": other.url})

        outcome = ask(responder.url)

        assert isinstance(outcome, Useless)
        assert len(responder.log) == 1
        assert other.log == []


def test_a_dead_address_is_passed_over_for_the_next_one(responder):
    outcome = ask(f"http://o.example:{responder.port}/", resolve=lambda _: ["::1", "127.0.0.1"])

    assert outcome == Answer(b"answer")


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 here")
def test_an_ipv6_literal_is_asked():
    try:
        running = Responder(Authority.create(), host="::1", mode=answering(b"six"))
    except OSError:
        pytest.skip("no IPv6 loopback here")
    with running:
        assert ask(running.url) == Answer(b"six")
        assert running.log[0].headers["host"] == f"[::1]:{running.port}"


def test_a_resolver_that_hangs_is_bounded_by_the_total():
    released = threading.Event()

    def resolve(_: str) -> list[str]:
        released.wait()
        return []

    outcome = ask("http://o.example/", resolve=resolve, seconds=0.1)

    released.set()
    assert isinstance(outcome, Silent)
    assert "took too long" in outcome.problem


def test_a_host_that_does_not_take_connections_is_bounded_by_the_total():
    with contextlib.ExitStack() as stack:
        full = stack.enter_context(socket.socket())
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        for _ in range(4):  # more than the backlog holds: further ones are not answered at all
            waiting = stack.enter_context(socket.socket())
            waiting.settimeout(0)
            waiting.connect_ex(("127.0.0.1", port))

        outcome = ask(f"http://127.0.0.1:{port}/", seconds=0.3)

    assert isinstance(outcome, Silent)
    assert "does not answer" in outcome.problem


def test_a_closed_port_is_said_in_one_line():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        outcome = ask(f"http://127.0.0.1:{unused.getsockname()[1]}/")

    assert isinstance(outcome, Silent)
    assert "connection refused" in outcome.problem


def test_a_proxy_gets_the_whole_url_and_its_own_credentials(responder):
    proxy = f"http://me:s%C3%A9cret@127.0.0.1:{responder.port}"

    outcome = ask("http://o.example/path", proxy=proxy, allowed=Allowed(), resolve=_no_look_up)

    assert outcome == Answer(b"answer")
    (request,) = responder.log
    assert request.target == "http://o.example/path"
    assert request.headers["host"] == "o.example"
    scheme, credentials = request.headers["proxy-authorization"].split()
    assert scheme == "Basic"
    assert base64.b64decode(credentials).decode() == "me:sécret"


def test_a_proxy_is_not_asked_for_an_address_that_may_not_be_asked(responder):
    outcome = ask("http://169.254.169.254/", proxy=responder.url, allowed=Allowed())

    assert isinstance(outcome, Barred)
    assert "metadata" in outcome.problem
    assert responder.log == []


def test_proxies_of_the_environment_are_not_asked(responder, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")

    assert ask(responder.url) == Answer(b"answer")


@pytest.mark.parametrize("name", sorted(SIZE))
def test_no_more_is_received_than_allowed_whatever_is_sent(name):
    allowance = 100_000
    with Responder(Authority.create(), mode=SIZE[name]) as running:
        wire = connect(
            [ip_address("127.0.0.1")],
            running.port,
            allowed=LOOPBACK,
            deadline=Deadline(20),
            allowance=allowance,
        )
        received = 0
        with wire:
            wire.sendall(b"GET / HTTP/1.1\r\n\r\n")
            block = bytearray(8192)
            with contextlib.suppress(TooMuch):
                while count := wire.recv_into(block):
                    received += count

        assert received <= allowance
        assert wire.broken is None or isinstance(wire.broken, TooMuch)


def test_an_answer_that_was_cut_off_by_the_deadline_is_no_answer_at_all():
    def mode(call):
        # Taken for the end of the headers, this would be a 200 with an empty body.
        return call.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n") and call.wait(20)

    with Responder(Authority.create(), mode=mode) as running:
        outcome = ask(running.url, seconds=0.2)

    assert outcome == Silent("no complete answer within 0.2 s")


def test_a_limit_that_is_the_same_is_told_in_full():
    patience = Deadline(0.01)

    assert patience.sooner(0.01) is patience
    assert patience.sooner(0.001) is not patience
    time.sleep(0.02)
    with pytest.raises(TimeoutError, match=r"within 0\.01 s"):
        _ = patience.sooner(5.0).left


def test_a_wish_to_be_asked_later_is_kept(responder):
    responder.mode = replying("503 Busy", {"Retry-After": "600"})

    assert ask(responder.url) == Useless("HTTP status 503", NOW + timedelta(minutes=10))


def test_a_body_of_exactly_the_limit_is_taken_and_one_more_byte_is_not(responder):
    responder.mode = answering(b"x" * 65536)
    assert isinstance(ask(responder.url), Answer)

    responder.mode = lambda call: call.reply(b"x" * 65537, length=None)
    assert isinstance(ask(responder.url), Broken)


def _no_look_up(host: str) -> list[str]:
    raise AssertionError(f"{host} was looked up")
