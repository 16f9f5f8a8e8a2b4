"""How a site can be reached, and by which name: at this machine's own addresses only."""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TYPE_CHECKING, TypeAlias

from staplecfg.model.probe import NotTestable, Target

if TYPE_CHECKING:
    from collections.abc import Iterable

    from staplecfg.model.site import Listen, Site

Way: TypeAlias = "tuple[Target, ...] | NotTestable"
"""One listening address: targets to try in turn until one answers, or why there are none."""

PROBE_LABEL = "staplecfg-probe"
"""What is asked for in the place of a wildcard's star."""

_LOOPBACKS = {
    # Every address: a machine without IPv4, or without IPv6, still has the other one.
    "": ("127.0.0.1", "::1"),
    "*": ("127.0.0.1", "::1"),
    "localhost": ("127.0.0.1", "::1"),
    "0.0.0.0": ("127.0.0.1",),  # noqa: S104 - as it is written in a configuration
    "::": ("::1",),
}


def asked_name(names: Iterable[str]) -> str | None:
    """Return a name that leads by SNI to the site of these `names`; None where none can be told.

    A label of ours fills a wildcard's star (`*.a.example`, `mail.*`); `.a.example`
    is `a.example` too. Regular expressions (`~...`), variables, catch-alls (`_`,
    the empty name) and addresses are no names one could ask for.
    """
    return next(filter(None, map(_askable, names)), None)


def ways(site: Site) -> tuple[Way, ...]:
    """Return how to reach each address at which `site` speaks TLS, each once."""
    spoken = [listen for listen in site.listens if listen.tls or listen.quic]
    if not spoken:
        return (NotTestable("it listens nowhere with TLS"),)
    tcp = [listen for listen in spoken if not listen.quic]
    if not tcp:
        return (NotTestable("it speaks QUIC only"),)
    return tuple(dict.fromkeys(map(_way, tcp)))


def is_local(host: str) -> bool:
    """Say whether the address `host` is this machine's own; nothing is sent."""
    address = _address(host)
    if address is None:
        return False
    if address.is_loopback:
        return True
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET  # noqa: PLR2004 - IPv6
    # To reach an address of its own the kernel picks that very one as the source.
    # Binding would prove nothing: failover pairs set ip_nonlocal_bind.
    with socket.socket(family, socket.SOCK_DGRAM) as unsent:
        try:
            unsent.connect((host, 9))
        except OSError:
            return False
        return _address(unsent.getsockname()[0]) == address


def _askable(name: str) -> str | None:
    if name in {"", "_", "*", "-"} or name.startswith("~"):
        return None
    filled = name.removeprefix(".")
    if filled.startswith("*."):
        filled = PROBE_LABEL + filled.removeprefix("*")
    if filled.endswith(".*"):
        filled = filled.removesuffix("*") + PROBE_LABEL
    if _address(filled) is not None or not all(c.isalnum() or c in "-._" for c in filled):
        return None
    try:
        filled.encode("idna")
    except UnicodeError:
        return None
    return filled


def _way(listen: Listen) -> Way:
    if listen.unix is not None:
        return (Target(unix=listen.unix, port=0, proxy_protocol=listen.proxy_protocol),)
    if listen.port is None:
        return NotTestable(f"the port at {listen.location} is not one that can be told")
    host = listen.host.removeprefix("[").removesuffix("]").lower()
    if host not in _LOOPBACKS and _address(host) is None:
        return NotTestable(f"it listens on the name {host}, which is not looked up")
    if host not in _LOOPBACKS and not is_local(host):
        return NotTestable(f"{host} is no address of this machine")
    hosts = _LOOPBACKS.get(host, (host,))
    return tuple(Target(host, listen.port, proxy_protocol=listen.proxy_protocol) for host in hosts)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None
