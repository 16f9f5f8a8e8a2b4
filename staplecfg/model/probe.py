"""What a server was seen to serve in one full handshake, and when that is worse than before."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import PurePosixPath

    from staplecfg.model.source import Location
    from staplecfg.model.staple import Staple


class Tls(Enum):
    """The versions that are probed; older ones are not offered by anything still supported."""

    V1_2 = "TLSv1.2"
    V1_3 = "TLSv1.3"


@dataclass(frozen=True, slots=True)
class Target:
    """Where to connect: `host` (an address) and `port`, or else the socket `unix`.

    `proxy_protocol` says that a PROXY header has to come first.
    """

    host: str = ""
    port: int = 443
    unix: PurePosixPath | None = None
    proxy_protocol: bool = False

    def __str__(self) -> str:
        if self.unix is not None:
            return f"unix:{self.unix}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Served:
    """A staple came with the handshake, and a client would accept it."""

    staple: Staple


@dataclass(frozen=True, slots=True)
class Missing:
    """The handshake came without a staple."""


@dataclass(frozen=True, slots=True)
class Wrong:
    """A staple came that a client would not accept: worse than none."""

    problem: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The server's certificate was never seen: visitors are turned away.

    `connected` says whether anyone answered at the address; `alert` is the
    number of the TLS alert, if there was one (RFC 8446, section 6).
    """

    problem: str
    connected: bool = True
    alert: int | None = None


@dataclass(frozen=True, slots=True)
class NotTestable:
    """Nothing can be said of this site from here, by a handshake."""

    problem: str


Verdict: TypeAlias = "Served | Missing | Wrong | Refused | NotTestable"


@dataclass(frozen=True, slots=True)
class Probe:
    """The `verdict` on one site at one address in one TLS version.

    `name` is what was asked for by SNI, None for nothing. `target` and
    `version` are None where there was nothing to connect to. `presented` is the
    SHA-256 of the leaf the server presented, or empty. `key` is the kind of
    certificate that was asked for, where the site has several; else empty.
    """

    site: str
    location: Location
    name: str | None
    target: Target | None
    version: Tls | None
    verdict: Verdict
    presented: str = ""
    key: str = ""

    def __str__(self) -> str:
        where = [str(self.target)] if self.target is not None else []
        how = [self.version.value] if self.version is not None else []
        kind = [self.key] if self.key else []
        return " ".join([self.site, *where, *how, *kind])


def worse(before: Iterable[Probe], after: Iterable[Probe]) -> tuple[str, ...]:
    """Return what is worse in `after` than it was in `before`, in words for people.

    Only what was tested both times is compared. What could not be tested before
    cannot have become worse; what could and now cannot, has.
    """
    earlier = {place(probe): probe.verdict for probe in before}
    return tuple(
        f"{probe}: {_said(earlier[at])} before, {_said(probe.verdict)} now"
        for probe in after
        if (at := place(probe)) in earlier and _rank(probe.verdict) > _rank(earlier[at])
    )


def place(probe: Probe) -> tuple[Location, str | None, Target | None, Tls | None, str]:
    """Return what makes `probe` comparable with one made at another time."""
    return probe.location, probe.name, probe.target, probe.version, probe.key


_RANKS: dict[type, int] = {Served: 0, Missing: 1, Wrong: 2, Refused: 3, NotTestable: 3}


def _rank(verdict: Verdict) -> int:
    return _RANKS[type(verdict)]


def _said(verdict: Verdict) -> str:
    if isinstance(verdict, Served):
        return "a good staple"
    if isinstance(verdict, Missing):
        return "no staple"
    if isinstance(verdict, Wrong):
        return f"a wrong staple ({verdict.problem})"
    if isinstance(verdict, Refused):
        return f"no handshake ({verdict.problem})"
    return f"not testable ({verdict.problem})"
