"""How a server is named on the command line."""

from __future__ import annotations

import pytest

from staplecfg.cli.host import split, targets
from staplecfg.model.errors import Unreadable
from staplecfg.model.probe import Target


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("www.example", "www.example", 443),
        ("www.example:8443", "www.example", 8443),
        ("192.0.2.1", "192.0.2.1", 443),
        ("192.0.2.1:1", "192.0.2.1", 1),
        ("2001:db8::1", "2001:db8::1", 443),
        ("[2001:db8::1]", "2001:db8::1", 443),
        ("[2001:db8::1]:65535", "2001:db8::1", 65535),
    ],
)
def test_host_and_port_are_told_apart(text, host, port):
    assert split(text) == (host, port)


def test_every_address_is_a_target():
    found = targets(
        "www.example",
        443,
        proxy_protocol=True,
        resolve=lambda _: [f"192.0.2.{n}" for n in range(20)] + ["2001:db8::1", "192.0.2.1"],
    )

    assert len(found) == 21
    assert found[-1] == Target("2001:db8::1", 443, proxy_protocol=True)


def test_a_name_beyond_ascii_is_looked_up_as_dns_knows_it():
    asked: list[str] = []

    def resolve(host: str) -> list[str]:
        asked.append(host)
        return ["192.0.2.1"]

    targets("b\u00fccher.example", 443, proxy_protocol=False, resolve=resolve)

    assert asked == ["xn--bcher-kva.example"]


def test_a_name_without_an_address_is_said():
    with pytest.raises(Unreadable, match="no address"):
        targets("www.example", 443, proxy_protocol=False, resolve=lambda _: [])
