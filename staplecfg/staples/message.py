"""What goes into one HTTP exchange, and the five things that can come out of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from staplecfg.staples.address import resolve_by_system

if TYPE_CHECKING:
    from datetime import datetime

    from staplecfg.staples.address import Allowed, Resolve
    from staplecfg.staples.url import Url


@dataclass(frozen=True, slots=True)
class Request:
    """What to ask. `accept` is the only media type an answer may have, if it says any."""

    url: Url
    accept: str | None
    body: bytes | None = None
    """None: GET."""
    content_type: str | None = None
    past_caches: bool = False
    """Ask caches on the way to ask the origin (RFC 9111, 5.2.1.4)."""


@dataclass(frozen=True, slots=True)
class Route:
    """How to get there: the addresses allowed, the resolver, the proxy."""

    allowed: Allowed
    proxy: Url | None = None
    resolve: Resolve = resolve_by_system


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole body, under an acceptable status and type."""

    body: bytes


@dataclass(frozen=True, slots=True)
class Useless:
    """The host spoke HTTP, but did not answer: another status, another type."""

    problem: str
    retry_after: datetime | None = None


@dataclass(frozen=True, slots=True)
class Broken:
    """The host was there, but what it sent is no whole HTTP answer."""

    problem: str


@dataclass(frozen=True, slots=True)
class Silent:
    """Nothing came in time, or nobody is there."""

    problem: str


@dataclass(frozen=True, slots=True)
class Barred:
    """The address may not be asked about this certificate: that says nothing of the host."""

    problem: str
    hint: str


Outcome: TypeAlias = "Answer | Useless | Broken | Silent | Barred"
