"""A server named on the command line: `HOST`, `HOST:PORT`, `[IPv6]:PORT`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.model.errors import Unreadable, UsageProblem
from staplecfg.model.probe import Target
from staplecfg.staples.address import addresses, as_literal, resolve_by_system

if TYPE_CHECKING:
    from staplecfg.staples.address import Resolve

HTTPS = 443
HIGHEST = 65535
LOOK_UP_SECONDS = 10.0
MOST_ADDRESSES = 64


def split(text: str) -> tuple[str, int]:
    """Return the host and the port that `text` names; raises `UsageProblem`."""
    if "//" in text:
        raise UsageProblem(f"'{text}' is a URL", hint="name the server as HOST or HOST:PORT")
    if as_literal(text) is not None:
        return text, HTTPS
    host, colon, port = text.rpartition(":")
    if text.startswith("[") and text.endswith("]"):
        host, colon, port = text, "", ""
    if not colon:
        host, port = host or text, str(HTTPS)
    bracketed = host.startswith("[") and host.endswith("]")
    bare = host[1:-1] if bracketed else host
    literal = as_literal(bare)
    if not bare or (bracketed and literal is None) or (":" in bare and not bracketed):
        raise UsageProblem(f"'{text}' names no server", hint="HOST, HOST:PORT or [IPv6]:PORT")
    if not (port.isascii() and port.isdecimal() and 1 <= int(port) <= HIGHEST):
        raise UsageProblem(f"'{text}': the port is a number from 1 to {HIGHEST}")
    return bare, int(port)


def targets(
    host: str, port: int, *, proxy_protocol: bool, resolve: Resolve = resolve_by_system
) -> tuple[Target, ...]:
    """Return every address of `host`; raises `Unreadable` where there is none in time."""
    try:
        found = addresses(_ascii(host), resolve, LOOK_UP_SECONDS, most=MOST_ADDRESSES)
    except OSError as error:
        raise Unreadable(str(error), hint="name an address, and the site with --name") from None
    return tuple(Target(str(each), port, proxy_protocol=proxy_protocol) for each in found)


def _ascii(host: str) -> str:
    """Return `host` as DNS knows it: its labels beyond ASCII as A-labels (RFC 5891)."""
    try:
        return host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError:
        raise Unreadable(f'"{host}" is not a host name') from None
