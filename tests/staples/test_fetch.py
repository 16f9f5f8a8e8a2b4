from __future__ import annotations

import contextlib
from datetime import datetime, timedelta, timezone
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any

import pytest

from staplecfg.model.settings import Floors, Responders
from staplecfg.model.verdict import Good, Reason, Rejected, Unreachable
from staplecfg.staples.ask import LONGEST_GET
from staplecfg.staples.fetch import fetch
from staplecfg.staples.hosts import Hosts
from tests.support.authority import Authority
from tests.support.chains import chain_of
from tests.support.misbehaviour import MODES
from tests.support.responder import Responder, honest

if TYPE_CHECKING:
    from staplecfg.model.chain import Chain
    from staplecfg.model.verdict import FetchResult

NOW = datetime(2026, 1, 15, 12, tzinfo=timezone.utc)
AUTHORITY = Authority.create()
SETTINGS = Responders(allow_networks=(ip_network("127.0.0.1/32"),))


def running(name: str = "honest", path: str = "") -> Responder:
    return Responder(AUTHORITY, mode=MODES[name], path=path, clock=lambda: NOW)


def chain_with(*urls: str) -> Chain:
    return chain_of(AUTHORITY.leaf(["a.example"], responders=urls))


def fetched(chain: Chain, settings: Responders = SETTINGS, **more: Any) -> FetchResult:
    return fetch(
        chain,
        **{
            "clock": lambda: NOW,
            "settings": settings,
            "floors": Floors(),
            "private": False,
            **more,
        },
    )


@pytest.mark.parametrize("path", ["", "/", "/ocsp", "/ocsp//"])
def test_a_get_never_has_two_slashes_in_a_row(path):
    with running("hates double slashes", path) as responder:
        assert isinstance(fetched(chain_with(responder.url)), Good)

    (request,) = responder.log
    assert request.method == "GET"
    assert request.digest == "sha1"
    assert not set("+=") & set(request.target)


@pytest.mark.parametrize(
    "path", [pytest.param("/" + "x" * LONGEST_GET, id="long"), pytest.param("/o?q=1", id="query")]
)
def test_a_long_url_and_one_with_a_query_are_asked_by_post_alone(path):
    with running(path=path) as responder:
        assert isinstance(fetched(chain_with(responder.url)), Good)

    (request,) = responder.log
    assert (request.method, request.target) == ("POST", path)
    assert "cache-control" not in request.headers


def test_a_stale_answer_is_asked_for_again_past_the_caches_and_only_that_one():
    with running("stale in the cache") as responder:
        assert isinstance(fetched(chain_with(responder.url)), Good)

    first, second = responder.log
    assert "cache-control" not in first.headers
    assert (second.method, second.headers["cache-control"]) == ("POST", "no-cache")


@pytest.mark.parametrize(
    ("name", "methods"),
    [
        ("404", ["GET", "POST"]),
        ("a web page in disguise", ["GET", "POST"]),
        ("unauthorized", ["GET", "POST", "POST"]),
        ("tryLater", ["GET"]),
        ("503 with Retry-After", ["GET"]),
        ("revoked", ["GET"]),
        ("unknown", ["GET"]),
    ],
)
def test_a_responder_is_asked_again_only_where_that_may_help(name, methods):
    with running(name) as responder:
        fetched(chain_with(responder.url))

    assert [request.method for request in responder.log] == methods


def test_where_sha1_is_refused_sha256_is_tried_last():
    with running("SHA-256 only") as responder:
        assert isinstance(fetched(chain_with(responder.url)), Good)

    assert [request.digest for request in responder.log] == ["sha1", "sha1", "sha256"]


def test_the_next_responder_is_asked_where_one_fails():
    with running("500") as first, running() as second, running() as third:
        assert isinstance(fetched(chain_with(first.url, second.url, third.url)), Good)

    assert (len(first.log), len(second.log), len(third.log)) == (2, 1, 0)


def test_who_says_revoked_is_believed_and_nobody_else_is_asked():
    with running("revoked") as first, running() as second:
        result = fetched(chain_with(first.url, second.url))

    assert isinstance(result, Rejected)
    assert result.reason is Reason.REVOKED
    assert result.revoked_at == NOW - timedelta(days=1)
    assert second.log == []


def test_several_failures_are_one_line_that_names_each_responder():
    with running("404") as first, running("503 with Retry-After") as second:
        result = fetched(chain_with(first.url, second.url, "https://o.example/"))

    assert isinstance(result, Unreachable)
    assert result.url == first.url
    assert "HTTP status 404" in result.problem
    assert f"; {second.url}: HTTP status 503" in result.problem
    assert "; https://o.example/: this URL is not asked" in result.problem
    assert result.problem.isprintable()
    assert result.retry_after == NOW + timedelta(minutes=30)


def test_a_judgement_says_more_than_silence():
    with running("404") as first, running("forged") as second:
        result = fetched(chain_with(first.url, second.url))

    assert isinstance(result, Rejected)
    assert result.reason is Reason.SIGNATURE
    assert result.problem.startswith(f"{second.url}: ")
    assert f"; {first.url}: HTTP status 404" in result.problem


def test_no_more_than_three_responders_are_asked():
    with contextlib.ExitStack() as stack:
        responders = [stack.enter_context(running("tryLater")) for _ in range(4)]
        fetched(chain_with(*(responder.url for responder in responders)))

    assert [len(responder.log) for responder in responders] == [1, 1, 1, 0]


def test_a_responder_may_be_overridden():
    with running() as other:
        settings = Responders(SETTINGS.allow_networks, override={"http://o.example/": other.url})

        assert isinstance(fetched(chain_with("http://o.example/"), settings), Good)


def test_an_empty_override_means_do_not_ask():
    with running() as responder:
        settings = Responders(SETTINGS.allow_networks, override={responder.url: ""})
        result = fetched(chain_with(responder.url), settings)

    assert isinstance(result, Unreachable)
    assert responder.log == []


@pytest.mark.parametrize("private", [False, True])
def test_loopback_is_refused_with_the_flag_that_would_allow_it(private):
    with running() as responder:
        result = fetched(chain_with(responder.url), Responders(), private=private)

    assert isinstance(result, Unreachable)
    assert "127.0.0.1 is a loopback address" in result.problem
    assert result.hint == "add --allow-network 127.0.0.1/32 if that is the responder"
    assert responder.log == []


def test_the_deadline_of_the_certificate_covers_all_of_its_responders():
    settings = Responders(
        SETTINGS.allow_networks,
        total=timedelta(seconds=20),
        per_certificate=timedelta(seconds=0.4),
    )
    with running("never answers") as first, running() as second:
        result = fetched(chain_with(first.url, second.url), settings)

    assert isinstance(result, Unreachable)
    assert second.log == []


def test_a_certificate_without_a_responder_or_an_issuer_is_no_crash():
    lonely = AUTHORITY.leaf(["a.example"], responders=["http://o.example/"])
    nameless = chain_with()
    orphan = chain_of(type(lonely)(lonely.cert, lonely.key))

    assert "no responder" in getattr(fetched(nameless), "problem", "")
    assert "issuer is not known" in getattr(fetched(orphan), "problem", "")


def test_a_proxy_that_is_no_url_is_said_and_not_raised():
    result = fetched(chain_with("http://o.example/"), Responders(proxy="socks5://localhost"))

    assert isinstance(result, Unreachable)
    assert "proxy" in result.problem


def test_a_host_that_kept_silent_is_not_asked_any_more_in_the_same_run():
    hosts = Hosts(patience=60)
    with running("never answers") as responder:
        hurried = Responders(SETTINGS.allow_networks, total=timedelta(seconds=0.1))
        for _ in range(5):
            result = fetched(chain_with(responder.url), hurried, hosts=hosts)
        asked = len(responder.log)
        responder.mode = honest
        fresh = fetched(chain_with(responder.url), hosts=Hosts(patience=60))

    assert asked == 3
    assert isinstance(result, Unreachable)
    assert "not asked" in result.problem
    assert isinstance(fresh, Good)


def test_a_host_that_wastes_time_without_being_of_use_is_given_up():
    hosts = Hosts(patience=0.05)
    with running("404") as responder:
        responder.delay = 0.1
        for _ in range(3):
            result = fetched(chain_with(responder.url), hosts=hosts)

    assert len(responder.log) == 1
    assert "HTTP status 404" in getattr(result, "problem", "")


def test_an_address_that_is_barred_to_one_certificate_is_asked_about_another():
    hosts = Hosts(patience=60)
    with running("404") as responder:
        responder.mode = honest
        for _ in range(5):
            refused = fetched(chain_with(responder.url), Responders(), hosts=hosts)
        allowed = fetched(chain_with(responder.url), hosts=hosts)

    assert isinstance(refused, Unreachable)
    assert "loopback" in refused.problem
    assert isinstance(allowed, Good)
