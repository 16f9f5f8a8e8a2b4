from __future__ import annotations

import threading
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

import pytest

from staplecfg.staples.address import (
    MOST_ADDRESSES,
    Allowed,
    Forbidden,
    addresses,
    require_allowed,
    resolve_by_system,
)

if TYPE_CHECKING:
    from staplecfg.staples.address import Resolve

PUBLIC = ("8.8.8.8", "2606:4700::1", "::ffff:8.8.8.8", "2002:808:808::", "64:ff9b::808:808")
INSIDE = ("10.1.2.3", "172.31.0.1", "192.168.1.1", "fd12::1", "::ffff:10.1.2.3", "64:ff9b::a01:203")
NEVER = (
    "127.0.0.1",
    "127.9.9.9",
    "::1",
    "::ffff:127.0.0.1",
    "::127.0.0.1",
    "2002:7f00:1::",
    "64:ff9b::7f00:1",
    "64:ff9b:1::1",
    "169.254.169.254",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "fe80::1",
    "fe80::1%eth0",
    "fd00:ec2::254",
    "100.100.100.200",
    "168.63.129.16",
    "100.64.0.1",
    "0.0.0.0",
    "0.1.2.3",
    "::",
    "224.0.0.1",
    "ff02::1",
    "255.255.255.255",
    "240.0.0.1",
    "192.0.2.1",
    "198.18.0.1",
    "2001:db8::1",
    "fec0::1",
    "2001::1",
)


@pytest.mark.parametrize("text", PUBLIC)
@pytest.mark.parametrize("private", [False, True])
def test_a_public_address_is_allowed(text, private):
    require_allowed(ip_address(text), Allowed(private=private))


@pytest.mark.parametrize("text", INSIDE)
def test_a_private_address_is_allowed_to_a_private_authority_alone(text):
    address = ip_address(text)

    require_allowed(address, Allowed(private=True))
    with pytest.raises(Forbidden, match="private address") as refusal:
        require_allowed(address, Allowed())
    assert "--trust" in refusal.value.hint


@pytest.mark.parametrize("text", NEVER)
@pytest.mark.parametrize("private", [False, True])
def test_any_other_address_is_refused_whatever_the_authority(text, private):
    with pytest.raises(Forbidden):
        require_allowed(ip_address(text), Allowed(private=private))


@pytest.mark.parametrize("text", [*INSIDE, *NEVER])
def test_the_flag_in_the_hint_is_the_one_that_allows_the_address(text):
    address = ip_address(text)
    with pytest.raises(Forbidden) as refusal:
        require_allowed(address, Allowed())

    words = refusal.value.hint.replace(",", "").split()
    flag = words[words.index("--allow-network") + 1]

    require_allowed(address, Allowed((ip_network(flag),)))


def test_a_network_allows_no_other_one():
    with pytest.raises(Forbidden):
        require_allowed(ip_address("127.0.0.1"), Allowed((ip_network("10.0.0.0/8"),)))


def test_a_literal_is_not_looked_up():
    assert addresses("::1", _never, 1) == (ip_address("::1"),)


def test_a_name_is_looked_up_once_and_each_address_is_named_once():
    asked = []

    def resolve(host):
        asked.append(host)
        return ["192.0.2.1", "2001:db8::1", "192.0.2.1"]

    assert addresses("a.example", resolve, 5) == (
        ip_address("192.0.2.1"),
        ip_address("2001:db8::1"),
    )
    assert asked == ["a.example"]


def test_not_every_address_of_a_name_with_hundreds_is_tried():
    found = addresses("a.example", lambda _: [f"192.0.2.{n}" for n in range(200)], 5)

    assert len(found) == MOST_ADDRESSES


def test_a_resolver_that_hangs_is_not_waited_for():
    released = threading.Event()
    try:
        with pytest.raises(TimeoutError, match=r"a\.example"):
            addresses("a.example", _hang(released), 0.05)
    finally:
        released.set()


def test_what_the_resolver_raises_is_raised_where_it_is_waited_for():
    with pytest.raises(OSError, match="no such thing"):
        addresses("a.example", _never, 5)


def test_a_name_without_addresses_does_not_resolve():
    with pytest.raises(OSError, match="has no address"):
        addresses("a.example", lambda _: [], 5)


@pytest.mark.parametrize("host", ["127.1", "2130706433", "0x7f.1", "localhost"])
def test_other_spellings_of_loopback_are_loopback_once_resolved(host):
    for address in addresses(host, resolve_by_system, 20):
        with pytest.raises(Forbidden, match="loopback"):
            require_allowed(address, Allowed(private=True))


@pytest.mark.parametrize("host", ["a..example", "x" * 64 + ".example"])
def test_what_cannot_be_a_name_is_an_ordinary_failure(host):
    with pytest.raises(OSError, match=r"not a host name|does not resolve"):
        addresses(host, resolve_by_system, 20)


def _never(host: str) -> list[str]:
    raise OSError(f"no such thing as {host}")


def _hang(until: threading.Event) -> Resolve:
    def resolve(_: str) -> list[str]:
        until.wait()
        return []

    return resolve
