"""What a `listen` directive says, by the rules of ngx_parse_url() and of the modules."""

from __future__ import annotations

import re
from dataclasses import replace
from ipaddress import ip_address
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from staplecfg.model.site import Listen

if TYPE_CHECKING:
    from collections.abc import Iterable

    from staplecfg.model.source import Location

_ADDRESS = re.compile(
    r"(?:(?P<ports>[0-9]+(?:-[0-9]+)?)"
    r"|(?P<host>\[[^\]/]+\]|[^:/\[\]]+)(?::(?P<hostports>[0-9]+(?:-[0-9]+)?))?)"
)
_PORTS = range(1, 65536)

_EVERY_IPV4 = frozenset({"", "*", "0.0.0.0"})  # noqa: S104 - compared with, never bound


def read_listen(args: tuple[str, ...], at: Location, default_port: int | None) -> list[Listen]:
    """Return the addresses of one `listen`: several for a range of ports (nginx 1.15.10).

    `default_port` is for addresses without one; None where the module wants one
    written. Returns nothing for what nginx would refuse.
    """
    if not args:
        return []
    listen = Listen(
        host="",
        port=None,
        location=at,
        tls="ssl" in args[1:] or "quic" in args[1:],
        quic="quic" in args[1:],
        proxy_protocol="proxy_protocol" in args[1:],
        default_server=not {"default_server", "default"}.isdisjoint(args[1:]),
    )
    if args[0].startswith("unix:"):
        path = args[0].removeprefix("unix:")
        return [replace(listen, unix=PurePosixPath(path))] if path else []
    found = _ADDRESS.fullmatch(args[0])
    if found is None:
        return []
    host = (found["host"] or "*").strip("[]")
    ports = _ports(found["ports"] or found["hostports"], default_port)
    return [replace(listen, host="" if host == "*" else host, port=port) for port in ports]


def _ports(text: str | None, default: int | None) -> range:
    if text is None:
        return range(0) if default is None else range(default, default + 1)
    first, _, last = text.partition("-")
    ports = range(int(first), int(last or first) + 1)
    return ports if ports and ports[0] in _PORTS and ports[-1] in _PORTS else range(0)


def share_options(listens: Iterable[Listen]) -> dict[tuple[object, ...], Listen]:
    """Return, by address, what all of `listens` together say of it.

    `ssl` and `proxy_protocol` belong to the address, not to the server block:
    said once, they hold for every block that listens there
    (ngx_http_add_addresses).
    """
    together: dict[tuple[object, ...], Listen] = {}
    for listen in listens:
        known = together.setdefault(address(listen), listen)
        together[address(listen)] = replace(
            known,
            tls=known.tls or listen.tls,
            proxy_protocol=known.proxy_protocol or listen.proxy_protocol,
        )
    return together


def address(listen: Listen) -> tuple[object, ...]:
    """Return what makes two listens the same socket."""
    host = "" if listen.host in _EVERY_IPV4 else _one_spelling(listen.host.lower())
    return (host, listen.port, listen.unix, listen.quic)


def _one_spelling(host: str) -> str:
    """Return the one spelling of an address; `localhost` is what every hosts file makes it."""
    if host == "localhost":
        return "127.0.0.1"
    try:
        return str(ip_address(host))
    except ValueError:
        return host
