"""Which addresses may be connected to, and the one look-up that finds them.

A certificate names its responder, so whoever can put a certificate on this
machine could make root ask any address on the inside. Names are resolved once
and the connection goes to the very address that was checked: a second look-up
could answer differently (DNS rebinding).
"""

from __future__ import annotations

import socket
import threading
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from staplecfg.model.settings import Network

Address: TypeAlias = "IPv4Address | IPv6Address"
Resolve: TypeAlias = "Callable[[str], Sequence[str]]"
"""Host name -> addresses as text; raises `OSError`."""

MOST_ADDRESSES = 8

_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052
_UNICAST = IPv6Network("2000::/3")  # all that is handed out for the public: RFC 4291, 2.4
_COMPATIBLE = IPv6Network("::/96")  # RFC 4291, 2.5.5.1
_INSIDE = (
    IPv4Network("10.0.0.0/8"),
    IPv4Network("172.16.0.0/12"),
    IPv4Network("192.168.0.0/16"),
    IPv6Network("fc00::/7"),
)
# Those that no general rule catches: AWS, Google, Alibaba, Oracle, Azure.
_METADATA = frozenset(
    ip_address(text)
    for text in (
        "169.254.169.254",
        "fd00:ec2::254",
        "fd20:ce::254",
        "100.100.100.200",
        "192.0.0.192",
        "168.63.129.16",
    )
)


@dataclass(frozen=True, slots=True)
class Allowed:
    """Which addresses outside the public internet may be asked.

    `private` says that the chain ends in a root the user vouches for
    (`--trust`): such an authority's responder is on the inside.
    """

    networks: tuple[Network, ...] = ()
    private: bool = False


class Forbidden(Exception):
    """An address that will not be connected to; `hint` holds the flag that would allow it."""

    def __init__(self, problem: str, hint: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.hint = hint


def require_allowed(address: Address, allowed: Allowed) -> None:
    """Raise `Forbidden` unless `address` is public or among the `allowed`.

    An IPv4 address wrapped in IPv6 (mapped, 6to4, NAT64) is judged by what it
    wraps: that is where the packets end.
    """
    inner = unwrapped(address)
    if any(each in network for each in (address, inner) for network in allowed.networks):
        return
    nature = _nature(inner)
    if nature is None or (nature is _PRIVATE and allowed.private):
        return
    width = 32 if isinstance(inner, IPv4Address) else 128
    flag = f"add --allow-network {_plain(inner)}/{width} if that is the responder"
    if nature is _PRIVATE:
        flag += ", or --trust FILE with the root of its chain"
    raise Forbidden(f"{address} is {nature}", flag)


def unwrapped(address: Address) -> Address:
    """Return the IPv4 address inside `address`, or `address` itself."""
    if isinstance(address, IPv4Address):
        return address
    wrapped = address.ipv4_mapped or address.sixtofour
    if wrapped is not None:
        return wrapped
    # :: and ::1 are in the same range, and are what they are.
    if address in _NAT64 or (address in _COMPATIBLE and int(address) > 1):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def as_literal(host: str) -> Address | None:
    """Return the address `host` is, or None where it is a name."""
    try:
        return ip_address(host)
    except ValueError:
        return None


def addresses(
    host: str, resolve: Resolve, seconds: float, *, most: int = MOST_ADDRESSES
) -> tuple[Address, ...]:
    """Return what `host` resolves to, in the resolver's order, within `seconds`; `most` at most.

    Raises `OSError` where it does not resolve and `TimeoutError` where that
    takes too long: the system's resolver knows no deadline, so it is left to
    its own thread.
    """
    literal = as_literal(host)
    if literal is not None:
        return (literal,)
    look_up = _LookUp(host, resolve)
    look_up.join(seconds)
    found = look_up.found
    if found is None:
        raise TimeoutError(f'looking up "{host}" took too long')
    if isinstance(found, Exception):
        raise found
    unique = tuple(dict.fromkeys(ip_address(text) for text in found))
    if not unique:
        raise OSError(f'"{host}" has no address')
    return unique[:most]


def resolve_by_system(host: str) -> Sequence[str]:
    """Return the addresses of `host` as this machine sees it; raises `OSError`."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except UnicodeError:  # raised for labels that are empty or too long
        raise OSError(f'"{host}" is not a host name') from None  # the codec's words help nobody
    except socket.gaierror as error:
        raise OSError(f'"{host}" does not resolve: {(error.strerror or "").lower()}') from error
    return [str(sockaddr[0]) for *_, sockaddr in found]


class _LookUp(threading.Thread):
    """One look-up; a daemon, so that a hanging resolver does not keep the process alive."""

    def __init__(self, host: str, resolve: Resolve) -> None:
        super().__init__(name=f"look-up {host}", daemon=True)
        self._host = host
        self._resolve = resolve
        self.found: Sequence[str] | Exception | None = None
        self.start()

    def run(self) -> None:
        try:
            self.found = self._resolve(self._host)
        except Exception as error:  # noqa: BLE001 - raised again where it is waited for
            self.found = error


_PRIVATE = "a private address"


def _nature(address: Address) -> str | None:
    """Return what kind of non-public address `address` is, or None where it is public."""
    natures = (
        (address in _METADATA, "a cloud's metadata service"),
        (address.is_loopback, "a loopback address"),
        (address.is_link_local, "a link-local address"),
        (address.is_multicast, "a multicast address"),
        (address.is_unspecified, "the unspecified address"),
        (any(address in network for network in _INSIDE), _PRIVATE),
        (not _is_public(address), "not a public address"),
    )
    return next((nature for applies, nature in natures if applies), None)


def _is_public(address: Address) -> bool:
    # is_global says yes to reserved and site-local IPv6 ranges.
    return address.is_global and (isinstance(address, IPv4Address) or address in _UNICAST)


def _plain(address: Address) -> str:
    """Return `address` without the zone a link-local one may carry."""
    return str(address).partition("%")[0]
