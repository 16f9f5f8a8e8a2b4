"""What a listen directive says."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from staplecfg.model.source import Location
from staplecfg.servers.nginx.listens import address, read_listen, share_options

AT = Location(PurePosixPath("/x"), 1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("443", [("", 443)], id="port"),
        pytest.param("*:443", [("", 443)], id="star"),
        pytest.param("1.2.3.4:443", [("1.2.3.4", 443)], id="IPv4"),
        pytest.param("1.2.3.4", [("1.2.3.4", 80)], id="IPv4 alone"),
        pytest.param("[::]:443", [("::", 443)], id="IPv6"),
        pytest.param("[2001:db8::1]", [("2001:db8::1", 80)], id="IPv6 alone"),
        pytest.param("localhost:8443", [("localhost", 8443)], id="host name"),
        pytest.param("localhost", [("localhost", 80)], id="host name alone"),
        pytest.param("8000-8002", [("", 8000), ("", 8001), ("", 8002)], id="range"),
        pytest.param("[::1]:1-2", [("::1", 1), ("::1", 2)], id="range at an address"),
        pytest.param("0", [], id="port zero"),
        pytest.param("65536", [], id="port too high"),
        pytest.param("2-1", [], id="range backwards"),
        pytest.param("1-70000", [], id="range too high"),
        pytest.param("::1:443", [], id="IPv6 without brackets"),
        pytest.param("host:https", [], id="port by name"),
        pytest.param("/run/x", [], id="path without unix"),
        pytest.param("unix:", [], id="unix without a path"),
        pytest.param("", [], id="nothing"),
    ],
)
def test_addresses_are_read_as_nginx_reads_them(text: str, expected: list[tuple[str, int]]):
    found = read_listen((text, "ssl"), AT, 80)

    assert [(listen.host, listen.port) for listen in found] == expected
    assert all(listen.tls for listen in found)


def test_a_unix_socket_has_a_path_and_no_port():
    (listen,) = read_listen(("unix:/run/nginx.sock", "ssl", "proxy_protocol"), AT, 80)

    assert (listen.unix, listen.port) == (PurePosixPath("/run/nginx.sock"), None)
    assert listen.tls
    assert listen.proxy_protocol


def test_options_count_only_behind_the_address():
    (plain,) = read_listen(("ssl",), AT, 80)
    (quic,) = read_listen(("443", "quic", "reuseport", "default_server"), AT, 80)

    assert (plain.host, plain.tls) == ("ssl", False)
    assert (quic.tls, quic.quic, quic.default_server) == (True, True, True)


def test_where_the_module_wants_a_port_an_address_alone_is_none():
    assert read_listen(("1.2.3.4",), AT, None) == []
    assert read_listen((), AT, 80) == []


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        pytest.param("443", "*:443", True, id="every address"),
        pytest.param("0.0.0.0:443", "443", True, id="every address in numbers"),
        pytest.param("[::1]:443", "[0:0:0:0:0:0:0:1]:443", True, id="IPv6 in full"),
        pytest.param("[2001:DB8::1]:443", "[2001:db8:0::1]:443", True, id="IPv6 in capitals"),
        pytest.param("localhost:443", "127.0.0.1:443", True, id="localhost"),
        pytest.param("[::]:443", "443", False, id="IPv4 and IPv6"),
        pytest.param("10.0.0.1:443", "443", False, id="one and every"),
    ],
)
def test_ssl_is_said_of_an_address_however_that_is_spelled(one: str, other: str, *, same: bool):
    (first,) = read_listen((one, "ssl"), AT, 80)
    (second,) = read_listen((other,), AT, 80)

    assert share_options([first, second])[address(second)].tls is same
