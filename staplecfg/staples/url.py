"""Which URLs may be asked: a certificate names them, and whoever made it chose them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv6Address
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from urllib.parse import SplitResult

LONGEST = 2000
"""Characters; no responder's URL comes near, and a log line should hold it."""
HTTP_PORT = 80

_PRINTABLE = re.compile(r"[!-~]+")
_HOST = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9._-]{0,251}[A-Za-z0-9_.])?")


class BadUrl(Exception):
    """A URL that will not be asked; the message says why and fits after a colon."""


@dataclass(frozen=True, slots=True)
class Url:
    """An http URL taken apart. `host` has no brackets; `target` is the path and the query."""

    host: str
    port: int
    path: str
    query: str
    user: str | None = None
    """`user:password`, for proxies alone."""

    @property
    def authority(self) -> str:
        """What the Host header says (RFC 9110, 7.2)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == HTTP_PORT else f"{host}:{self.port}"

    @property
    def target(self) -> str:
        """What the request line says (RFC 9112, 3.2.1); never empty."""
        path = self.path or "/"
        return f"{path}?{self.query}" if self.query else path

    def __str__(self) -> str:
        return f"http://{self.authority}{self.target}"


def parse_url(text: str) -> Url:
    """Return `text` taken apart; raises `BadUrl` where it may not be asked.

    Only http: an https responder's certificate might need OCSP itself, and the
    answer is signed anyway (CA/Browser Forum BR, 7.1.2.7.7).
    """
    url = _parse(text)
    if url.user is not None:
        raise BadUrl("it carries a user name")
    return url


def parse_proxy(text: str) -> Url:
    """Return the proxy `text` names; raises `BadUrl`. It may carry a user name and a password."""
    url = _parse(text)
    if url.path not in ("", "/") or url.query:
        raise BadUrl("a proxy is http://host:port, without a path")
    return url


def one_line(text: str) -> str:
    """Return foreign `text` in printable ASCII and at a bearable length, for a message."""
    return re.sub(r"[^ -~]+", " ", text).strip()[:200]


def _parse(text: str) -> Url:
    if len(text) > LONGEST:
        raise BadUrl(f"it is longer than {LONGEST} characters")
    # Before urlsplit, which silently drops tabs and line ends.
    if _PRINTABLE.fullmatch(text) is None:
        raise BadUrl("it holds characters that are not printable ASCII")
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise BadUrl(f"it is not a URL ({error})") from None  # all is said in the message
    if parts.scheme != "http":
        raise BadUrl(f'only http is asked, not "{parts.scheme}"')
    if port == 0:
        raise BadUrl("its port is 0")
    _require_host(host, parts)
    user = parts.netloc.rpartition("@")[0] if "@" in parts.netloc else None
    return Url(host, port or HTTP_PORT, parts.path, parts.query, user and unquote(user))


def _require_host(host: str, parts: SplitResult) -> None:
    if "[" in parts.netloc:
        try:
            IPv6Address(host)
        except AddressValueError:
            raise BadUrl(f'"{host}" is not an IPv6 address') from None  # ditto
    elif _HOST.fullmatch(host) is None:
        raise BadUrl(f'"{host}" is not a host name')
