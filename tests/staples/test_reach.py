"""Where a site is probed, and by which name."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from staplecfg.model.probe import NotTestable, Target
from staplecfg.model.site import Listen
from staplecfg.model.source import Location
from staplecfg.staples.reach import asked_name, is_local, ways
from tests.support.sites import site

HERE = Location(PurePosixPath("/etc/nginx/nginx.conf"), 3)


@pytest.mark.parametrize(
    ("names", "asked"),
    [
        pytest.param(["a.example", "b.example"], "a.example", id="the first"),
        pytest.param(["*.a.example"], "staplecfg-probe.a.example", id="leading star"),
        pytest.param(["mail.*"], "mail.staplecfg-probe", id="trailing star"),
        pytest.param([".a.example"], "a.example", id="leading dot"),
        pytest.param(["~^www\\d+\\.example$", "a.example"], "a.example", id="regex, then a name"),
        pytest.param(["", "_", "$hostname", "b.example"], "b.example", id="catch-alls first"),
        pytest.param(["192.0.2.1", "[2001:db8::1]", "2001:db8::1"], None, id="addresses"),
        pytest.param(["bücher.example"], "bücher.example", id="not ASCII"),
        pytest.param(["a..example", "\udcff"], None, id="not names"),
        pytest.param(["~."], None, id="regex only"),
        pytest.param([], None, id="none"),
    ],
)
def test_the_name_to_ask_for(names, asked):
    assert asked_name(names) == asked


def listen(host: str = "", port: int | None = 443, **more) -> Listen:
    return Listen(host, port, HERE, **{"tls": True, **more})


@pytest.mark.parametrize(
    ("host", "hosts"),
    [
        pytest.param("", ["127.0.0.1", "::1"], id="every address"),
        pytest.param("*", ["127.0.0.1", "::1"], id="star"),
        pytest.param("0.0.0.0", ["127.0.0.1"], id="every IPv4 address"),
        pytest.param("::", ["::1"], id="every IPv6 address"),
        pytest.param("[::]", ["::1"], id="every IPv6 address, bracketed"),
        pytest.param("127.0.0.7", ["127.0.0.7"], id="another loopback address"),
        pytest.param("localhost", ["127.0.0.1", "::1"], id="localhost"),
    ],
)
def test_where_a_listening_address_is_reached(host, hosts):
    assert ways(site(listens=[listen(host)])) == (tuple(Target(one, 443) for one in hosts),)


@pytest.mark.parametrize(
    "listens",
    [
        pytest.param([], id="none"),
        pytest.param([listen(tls=False)], id="plain HTTP"),
        pytest.param([listen(tls=False, quic=True)], id="QUIC only"),
        pytest.param([listen(quic=True)], id="QUIC only, with TLS in it"),
        pytest.param([listen("192.0.2.1")], id="another machine's address"),
        pytest.param([listen("2001:db8::1")], id="another machine's IPv6 address"),
        pytest.param([listen("www.example")], id="a name"),
        pytest.param([listen(port=None)], id="no port"),
    ],
)
def test_where_nobody_may_or_can_be_asked(listens):
    (way,) = ways(site(listens=listens))

    assert isinstance(way, NotTestable)


def test_quic_beside_tls_is_passed_over():
    assert len(ways(site(listens=[listen(), listen(tls=False, quic=True)]))) == 1


def test_an_address_named_twice_is_asked_once():
    assert len(ways(site(listens=[listen(), listen(default_server=True)]))) == 1


def test_a_unix_socket_and_the_proxy_protocol_are_kept():
    unix = PurePosixPath("/run/tls.sock")

    assert ways(site(listens=[listen(port=None, unix=unix, proxy_protocol=True)])) == (
        (Target(port=0, unix=unix, proxy_protocol=True),),
    )


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1", "8.8.8.8", "a.example", ""])
def test_what_is_not_ours_is_not_local(host):
    assert not is_local(host)


def test_loopback_is_local():
    assert is_local("127.0.0.53")
