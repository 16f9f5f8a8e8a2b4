"""What a server must be able to say, and what a way of delivering staples must.

One package per server implements these; `registry` is the only place where
servers are named together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import PurePosixPath

    from staplecfg.model.chain import Chain
    from staplecfg.model.change import Content, Kind
    from staplecfg.model.directive import Directive
    from staplecfg.model.edit import Edit
    from staplecfg.model.facts import Facts
    from staplecfg.model.filesystem import Filesystem
    from staplecfg.model.finding import Finding
    from staplecfg.model.installation import Installation
    from staplecfg.model.rule import Rule
    from staplecfg.model.settings import Settings
    from staplecfg.model.site import Configuration, Site
    from staplecfg.model.staple import Staple

Words: TypeAlias = "tuple[str, ...]"
"""A simple directive's name and arguments, unquoted."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command as data: what to run, never through a shell."""

    argv: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StateFile:
    """A file in state: `template` rendered with `variables`, or else `content`."""

    path: PurePosixPath
    kind: Kind
    content: Content | None = None
    template: str | None = None
    variables: Mapping[str, object] | None = None


class Dialect(Protocol):
    """How one server's configuration is written and read. Text in, values out."""

    @property
    def name(self) -> str:
        """The server's name: its directory under `templates/`."""
        ...

    @property
    def site_word(self) -> str:
        """What its manual calls a site: `server block`, `virtual host`."""
        ...

    def parse(self, data: bytes, path: PurePosixPath) -> tuple[Directive, ...]:
        """Return the directives of one file; raises `NotUnderstood` with `path:line`."""
        ...

    def configuration(
        self, files: Filesystem, installation: Installation, settings: Settings
    ) -> Configuration:
        """Read everything `installation` reads at start.

        Raises `Unreadable` or `NotUnderstood` only where the main file is
        unusable; trouble in an included file becomes a finding and a refusal.
        """
        ...

    def reads(self, pattern: str, path: PurePosixPath, files: Filesystem) -> bool:
        """Say whether an include of `pattern` would read `path` (resolved), were it there.

        `files` tells where links among the directories of `pattern` lead.
        """
        ...

    def insert(self, data: bytes, block: Directive, wanted: Sequence[Words]) -> tuple[Edit, ...]:
        """Return the edits that put directives `wanted`, in order, into `block` of `data`."""
        ...

    def replace(self, data: bytes, present: Directive, wanted: Words) -> Edit:
        """Return the edit that puts `wanted` in the place of the simple directive `present`."""
        ...

    def take_out(self, data: bytes, present: Sequence[Directive]) -> tuple[Edit, ...]:
        """Return the edits that undo `insert`: whole lines where nothing else stands on them."""
        ...

    def disagreement(self, data: bytes, path: PurePosixPath) -> Finding | None:
        """Compare our reading of `data` with the second reader's; None where they agree."""
        ...


class Delivery(Protocol):
    """One way a staple reaches a server's handshakes. Pure."""

    @property
    def name(self) -> str:
        """Its name in settings, and its directory under `templates/<server>/`."""
        ...

    @property
    def live(self) -> bool:
        """Say whether changed state takes effect without a reload."""
        ...

    @property
    def from_store(self) -> bool:
        """Say whether what it serves is ours, so that staples must be kept for its sites."""
        ...

    @property
    def asks_us(self) -> bool:
        """Say whether the server asks the local responder, `staplecfg serve`."""
        ...

    @property
    def lazy(self) -> bool:
        """Say whether the server fetches, so that its first visitors go without."""
        ...

    @property
    def one_response(self) -> bool:
        """Say whether one response is served with all certificates of a site."""
        ...

    @property
    def needs_schedule(self) -> bool:
        """Say whether its staples rot if nothing renews them."""
        ...

    def bound(self, settings: Settings) -> Delivery:
        """Return it as `settings` have it: where the local responder is, for one."""
        ...

    def misfit(self, site: Site, chains: Sequence[Chain], facts: Facts) -> Finding | None:
        """Say why it does not fit `site`, or None where it does."""
        ...

    def key(self, site: Site) -> str:
        """Return the site key, which names the site's state: of certificate paths alone."""
        ...

    def variables(self, site: Site, state_dir: PurePosixPath) -> Mapping[str, object]:
        """Return what `site.conf.j2` may use; nothing in it depends on a response."""
        ...

    def trusts(self, site: Site, facts: Facts) -> PurePosixPath | None:
        """Return the file that tells the server whom to believe in `site`, or None for no such."""
        ...

    def state(
        self, key: str, staple: Staple | None, state_dir: PurePosixPath
    ) -> tuple[StateFile, ...]:
        """Return the files in state for one site key, first what is named, then what names it.

        `staple` None means withdrawn: the neutral state, in which nothing is served.
        """
        ...

    def owned(self, words: Words, state_dir: PurePosixPath) -> str | None:
        """Return the site key if `words` is the line that can only be ours, else None.

        The key is empty where the line is the same for every site.
        """
        ...

    def litter(
        self, files: Filesystem, state_dir: PurePosixPath, keep: Iterable[PurePosixPath]
    ) -> tuple[PurePosixPath, ...]:
        """Return the state files of this delivery that are in nobody's use any more."""
        ...


class Commands(Protocol):
    """The server's own commands as data, and how to read what they print."""

    def describe(self, settings: Settings) -> Command:
        """Return the command that makes the binary describe itself."""
        ...

    def installation(
        self, output: str, settings: Settings, binary: PurePosixPath | None
    ) -> Installation:
        """Read `output` of `describe`; raises `NotUnderstood` where it is no such server's."""
        ...

    def test(self, installation: Installation) -> Command:
        """Return the command that tests the configuration."""
        ...

    def reload(self, installation: Installation) -> Command:
        """Return the command that makes the running server re-read its configuration."""
        ...

    def pid_file(self, configuration: Configuration, installation: Installation) -> PurePosixPath:
        """Return where the master process leaves its id."""
        ...


@dataclass(frozen=True, slots=True)
class Server:
    """Everything staplecfg knows of one server."""

    name: str
    dialect: Dialect
    commands: Commands
    deliveries: Mapping[str, Delivery]
    default_delivery: str
    rules: tuple[Rule, ...]
