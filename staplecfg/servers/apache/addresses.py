"""Where a virtual host is reached: its own addresses, and the server's `Listen` lines."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from staplecfg.model.finding import Finding, Severity
from staplecfg.model.site import Listen

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from staplecfg.model.site import Setting

LISTEN_INVALID = "listen-invalid"

_ADDRESS = re.compile(
    r"(?:(?P<only>[0-9]+)|(?P<host>\[[^\]]*\]|[^:\[\]]+)(?::(?P<port>[0-9]+|\*))?)"
)
_PORTS = range(1, 65536)
_HTTPS_PORT = 443
_EVERY = frozenset({"", "*", "_default_", "0.0.0.0", "::"})  # noqa: S104 - compared with, never bound


@dataclass(frozen=True, slots=True)
class Socket:
    """What one `Listen` opens; `https` is the protocol it names, or has by its port."""

    host: str
    port: int
    https: bool
    setting: Setting


def sockets(listens: Iterable[Setting]) -> tuple[tuple[Socket, ...], list[Finding]]:
    """Return what the `Listen` lines open, and those that say nothing httpd could open."""
    found: list[Socket] = []
    findings: list[Finding] = []
    for each in listens:
        socket = _socket(each)
        if socket is None:
            findings.append(_invalid(each))
        else:
            found.append(socket)
    return tuple(found), findings


def addresses(args: Iterable[str]) -> list[tuple[str, int | None]]:
    """Return the addresses of `<VirtualHost args>`: host "" is every one, port None likewise."""
    found = []
    for arg in args:
        match = _ADDRESS.fullmatch(arg)
        if match is None:
            continue
        # A number alone is a port only to Listen (ap_parse_vhost_addrs()).
        host = (match["host"] or match["only"] or "").strip("[]")
        port = int(match["port"]) if (match["port"] or "*") != "*" else None
        found.append(("" if host in _EVERY else host, port))
    return found


def reached(
    wanted: Sequence[tuple[str, int | None]], opened: Sequence[Socket], *, tls: bool
) -> tuple[Listen, ...]:
    """Return where a host with the addresses `wanted` is reached; nowhere without a `Listen`.

    A socket for every address also takes what comes for one of them.
    """
    found: dict[tuple[str, int], Listen] = {}
    for host, port in wanted:
        for socket in opened:
            if port not in {None, socket.port} or not _meets(host, socket.host):
                continue
            listen = Listen(host or socket.host, socket.port, socket.setting.location, tls=tls)
            found.setdefault((listen.host, socket.port), listen)
    return tuple(found.values())


def speaks_https(wanted: Sequence[tuple[str, int | None]], opened: Sequence[Socket]) -> bool:
    """Say whether a `Listen` for https opens just one of the addresses `wanted`.

    `*:443` is not `127.0.0.1:443` here: ap_setup_listeners() looks for equals.
    """
    return any(
        (socket.host.lower(), socket.port) == (host.lower(), port) and socket.https
        for host, port in wanted
        for socket in opened
    )


def _meets(host: str, opened: str) -> bool:
    return not host or not opened or host.lower() == opened.lower() or not _is_number(host)


def _is_number(host: str) -> bool:
    return re.fullmatch(r"[0-9.]+|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*", host) is not None


def _socket(setting: Setting) -> Socket | None:
    if not setting.args:
        return None
    match = _ADDRESS.fullmatch(setting.args[0])
    port = match and (match["port"] or match["only"])
    if match is None or not port or port == "*" or int(port) not in _PORTS:
        return None
    host = (match["host"] or "").strip("[]")
    named = [arg.lower() for arg in setting.args[1:2]]
    https = named == ["https"] if named else int(port) == _HTTPS_PORT
    return Socket("" if host in _EVERY else host, int(port), https, setting)


def _invalid(listen: Setting) -> Finding:
    return Finding(
        LISTEN_INVALID,
        Severity.ERROR,
        listen.location,
        f"`Listen {' '.join(listen.args)}` is no address httpd can listen at",
        "write Listen [ADDRESS:]PORT",
    )
