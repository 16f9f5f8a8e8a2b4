"""A server block or virtual host that speaks TLS, with what is in effect in it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import PurePosixPath

    from staplecfg.model.directive import Directive
    from staplecfg.model.finding import Finding
    from staplecfg.model.source import Location


class Origin(Enum):
    """How a directive comes to be in effect in a block."""

    OWN = "own"
    """It stands in the block, in the block's own file."""
    INCLUDED = "included"
    """It stands in a file that the block includes."""
    INHERITED = "inherited"
    """It stands in an enclosing block."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A directive in effect in a site.

    `file` is the resolved path of the file it stands in, `location` the path as
    the configuration names it. `shared` says that file is read for other sites too.
    """

    directive: Directive
    origin: Origin
    location: Location
    file: PurePosixPath
    shared: bool = False

    @property
    def args(self) -> tuple[str, ...]:
        """The directive's arguments."""
        return self.directive.args


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate as configured: `path` is made absolute the server's way, links not followed."""

    text: str
    """The argument as written."""
    path: PurePosixPath | None
    """None where only the server can say: variables, `data:`."""
    location: Location
    sent_with: PurePosixPath | None = None
    """Where its intermediates are if its own file has none (Apache: SSLCertificateChainFile)."""


@dataclass(frozen=True, slots=True)
class Listen:
    """An address the site answers at; `host` "" is every address, `port` None a unix socket."""

    host: str
    port: int | None
    location: Location
    tls: bool
    quic: bool = False
    proxy_protocol: bool = False
    default_server: bool = False
    unix: PurePosixPath | None = None


@dataclass(frozen=True, slots=True)
class Site:
    """One TLS-speaking server block or virtual host.

    `settings` holds the directives in effect, those inherited or included
    among them, by name, in the order the server meets them. `names` are server
    names as configured. `file` is the resolved path of the file the block opens
    in, `block` the block's directive there: the one that lines for TLS belong
    into, which may be a condition within a virtual host.
    """

    server: str
    context: str
    """The enclosing module's block: `http`, `stream` or `mail` for nginx."""
    names: tuple[str, ...]
    location: Location
    file: PurePosixPath
    block: Directive
    certificates: tuple[Certificate, ...]
    listens: tuple[Listen, ...]
    settings: Mapping[str, tuple[Setting, ...]]
    used_at: tuple[Location, ...] = ()
    """The `Use` lines whose macro it comes from, outermost first: each makes a site of `block`."""
    parameters: tuple[str, ...] = ()
    """Of that macro and those around it: what is replaced in the block's lines before they are
    read, wherever in a word it stands."""

    @property
    def title(self) -> str:
        """What people call it: its first name, or where it stands."""
        return next((name for name in self.names if name), str(self.location))

    def setting(self, name: str) -> Setting | None:
        """Return the directive `name` in effect (the last one), or None."""
        found = self.settings.get(name, ())
        return found[-1] if found else None

    def value(self, name: str, default: str = "") -> str:
        """Return the first argument of the directive `name` in effect, or `default`."""
        setting = self.setting(name)
        return setting.args[0] if setting is not None and setting.args else default


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A configuration file as it was read.

    `path` is the name the configuration knows it by, `file` the resolved one.
    `refusal` says why it will not be edited (the two readers disagree, it
    cannot be understood, someone regenerates it), or is None.
    """

    path: PurePosixPath
    file: PurePosixPath
    data: bytes
    directives: tuple[Directive, ...]
    refusal: Finding | None = None
    included_by: tuple[Location, ...] = ()
    """Every include directive that leads here, in the order met; empty for the main file."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """Everything a server reads at start.

    `files` is keyed by resolved path. `globals` holds the main context's
    directives by name. `patterns` are the include arguments made absolute, for
    whoever must place a file where no include finds it.
    """

    server: str
    main: PurePosixPath
    files: Mapping[PurePosixPath, SourceFile]
    sites: tuple[Site, ...]
    globals: Mapping[str, tuple[Setting, ...]]
    patterns: tuple[str, ...]
    findings: tuple[Finding, ...] = ()
