"""What a server must be able to say, and what a way of delivering staples must.

One package per server implements these; `registry` is the only place where
servers are named together.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
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
    """A command as data: what to run, never through a shell.

    `environment` is added to our own. `good` are the exit statuses by which it
    says that all went well.
    """

    argv: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    good: frozenset[int] = frozenset({0})

    @property
    def words(self) -> tuple[str, ...]:
        """The command line that does the same for whoever has no environment to give (env(1))."""
        if not self.environment:
            return self.argv
        pairs = sorted(self.environment.items())
        return ("env", *(f"{name}={value}" for name, value in pairs), *self.argv)


@dataclass(frozen=True, slots=True)
class Renewed:
    """A state file that the server renews too, so that what stands there may be better than ours.

    `fingerprint` is of the leaf that it is about; `response` returns the DER
    response in the file's bytes, or None where the server could use none of it.
    Beneath `store` the server's own user may put whatever he likes, links to any
    file among it: none is followed there.
    """

    fingerprint: str
    response: Callable[[bytes], bytes | None]
    store: PurePosixPath


@dataclass(frozen=True, slots=True)
class StateFile:
    """A file in state: `template` rendered with `variables`, or else `content`.

    With neither, nothing may stand there where it is `renewed`; any other is empty then.
    """

    path: PurePosixPath
    kind: Kind
    content: Content | None = None
    template: str | None = None
    variables: Mapping[str, object] | None = None
    renewed: Renewed | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """A leaf (its SHA-256 and its DER) and the staple that may be served with it, or None."""

    fingerprint: str
    der: bytes
    staple: Staple | None


@dataclass(frozen=True, slots=True)
class Serving:
    """What the handshakes of a site may carry now.

    `common` is one response about all of its certificates, or None where there
    is none that may be served; `each` is about every one of them.
    """

    common: Staple | None = None
    each: tuple[Held, ...] = ()


NOTHING = Serving()
"""Withdrawn, whatever the certificates are."""


@dataclass(frozen=True, slots=True)
class SharedFile:
    """A configuration file of ours for a whole server; parts of one path stand in one file."""

    path: PurePosixPath
    template: str
    variables: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class SharedLink:
    """A symbolic link of ours for a whole server, and what it says."""

    path: PurePosixPath
    target: str


@dataclass(frozen=True, slots=True)
class Shared:
    """What the sites of a delivery need once for all of them.

    In the order in which it must come to be, for the server may be reloaded by
    somebody else between any two of these: `modules` are links that have a module
    loaded, then the `files`, the `links` that have them read, the `lines` at the
    top level of the main file that do. The lines of sites come last. `findings`
    are what is to be said about it.

    `lingering` says that no site needs it any more, and that the running server
    would not survive a reload without it: it goes only where the server is stopped.
    """

    modules: tuple[SharedLink, ...] = ()
    files: tuple[SharedFile, ...] = ()
    links: tuple[SharedLink, ...] = ()
    lines: tuple[Words, ...] = ()
    findings: tuple[Finding, ...] = ()
    lingering: bool = False


class Dialect(Protocol):
    """How one server's configuration is written and read. Text in, values out."""

    @property
    def name(self) -> str:
        """The server's name: its directory under `templates/`."""
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

    def said(self, wanted: Sequence[Words]) -> str:
        """Return directives `wanted` on one line, for a person to write them by hand."""
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

    @property
    def writes(self) -> PurePosixPath | None:
        """Return the directory that its state stands in; None: one of ours, in state."""
        ...

    @property
    def switch(self) -> Words | None:
        """Return the line that turns it on where anybody may have written that one.

        None where a line tells by itself whose it is: see `owned`.
        """
        ...

    def recorded(self, words: Sequence[Words]) -> bool:
        """Say whether `words`, which we put into one block, are those of this delivery.

        Only asked of one with a `switch`.
        """
        ...

    def bound(self, settings: Settings, configuration: Configuration) -> Delivery:
        """Return it as they have it: where the local responder is, or the server's own store."""
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

    def state(self, key: str, serving: Serving, state_dir: PurePosixPath) -> tuple[StateFile, ...]:
        """Return the files in state for one site key, first what is named, then what names it.

        `NOTHING` means withdrawn: the neutral state, in which nothing is served.
        """
        ...

    def shared(self, sites: Sequence[Site], facts: Facts) -> Shared | Finding:
        """Return what of ours must stand for `sites` together, or why it cannot.

        `sites` have its lines afterwards. What others have come to rely on stays
        too, also where `sites` is empty.
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

    @property
    def programs(self) -> tuple[str, ...]:
        """The names its binary goes by, the likeliest first."""
        ...

    def main_files(self, settings: Settings) -> tuple[PurePosixPath, ...]:
        """Return where its main configuration file may be: for a machine that cannot be asked."""
        ...

    def describe(self, settings: Settings) -> tuple[Command, ...]:
        """Return the commands that make the binary describe itself."""
        ...

    def installation(
        self,
        outputs: Sequence[str],
        settings: Settings,
        binary: PurePosixPath | None,
        files: Filesystem,
    ) -> Installation:
        """Read the `outputs` of `describe`; raises `NotUnderstood` where it is no such server's.

        Without `binary` nothing was executed, and there are none. `files` is for
        what the service's environment is read from.
        """
        ...

    def notes(
        self, installation: Installation, settings: Settings, files: Filesystem
    ) -> tuple[Finding, ...]:
        """Return what was not understood of what `installation` was read from."""
        ...

    def test(self, installation: Installation) -> Command:
        """Return the command that tests the configuration."""
        ...

    def reload(self, installation: Installation) -> Command:
        """Return the command that makes the running server re-read its configuration.

        It is only for one that runs: Apache's would start one.
        """
        ...

    def start(self, installation: Installation) -> Command:
        """Return the command that starts the server in the background, where none runs."""
        ...

    def stop(self, installation: Installation) -> Command:
        """Return the command that ends the running server, connections under way as they are."""
        ...

    def evidence(self, installation: Installation) -> Command | None:
        """Return the command by which the server tells how it reads its configuration, if any."""
        ...

    def started_otherwise(
        self, argv: Sequence[str], installation: Installation
    ) -> tuple[str, str] | None:
        """Say why a server started by `argv` reads something else than `installation`, and a hint.

        None where it reads the same as far as its arguments tell.
        """
        ...

    def pid_file(self, configuration: Configuration, installation: Installation) -> PurePosixPath:
        """Return where the master process leaves its id."""
        ...

    def bears(self, installation: Installation) -> PurePosixPath | None:
        """Return the binary whose name its master process bears; None: its title says master."""
        ...


Agreement: TypeAlias = (
    "Callable[[Configuration, Installation, Filesystem, str], tuple[Finding, ...]]"
)
"""What compares our reading with what `Commands.evidence` printed; empty where they agree."""


Outlives: TypeAlias = "Callable[[Configuration, Configuration], str | None]"
"""Whether a server that has read the first configuration survives being reloaded with the second;
if not, why not."""


@dataclass(frozen=True, slots=True)
class Server:
    """Everything staplecfg knows of one server."""

    name: str
    dialect: Dialect
    commands: Commands
    deliveries: Mapping[str, Delivery]
    default_delivery: str
    rules: tuple[Rule, ...]
    agreement: Agreement | None = None
    """What `Commands.evidence` is for; a finding at the main file is about all files."""
    outlives: Outlives | None = None
    """None: it survives every reload. What it does not survive takes a stop and a start."""
