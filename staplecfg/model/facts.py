"""Everything the pure part may know, each thing read once."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import PurePosixPath

    from cryptography.x509 import Certificate

    from staplecfg.model.chain import Chain, NoChain
    from staplecfg.model.change import Content
    from staplecfg.model.filesystem import Filesystem
    from staplecfg.model.heard import Heard
    from staplecfg.model.installation import Installation
    from staplecfg.model.settings import Settings
    from staplecfg.model.site import Configuration
    from staplecfg.model.staple import Staple
    from staplecfg.model.target import NoTarget, Target
    from staplecfg.model.templates import Templates


@dataclass(frozen=True, slots=True)
class Attempts:
    """What asking for one certificate's status has come to so far (the store's side-car).

    Never trusted for a judgement: it only decides when to ask again and what
    to tell people. `failures` counts consecutive ones.
    """

    fingerprint: str
    last_try: datetime | None = None
    last_success: datetime | None = None
    failures: int = 0
    not_before: datetime | None = None
    """Do not ask before: backoff or the responder's Retry-After."""
    url: str | None = None
    error: str | None = None
    revoked_at: datetime | None = None
    revoked_as_of: datetime | None = None
    """thisUpdate of the answer that said so: an older one that says good takes nothing back."""
    alone_at: datetime | None = None
    """When a responder that was asked about it and its neighbours at once was no use for that."""
    told: str | None = None
    """What `warm` last told a person about it: a condition, so that it is not said hourly."""
    told_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    """What the store holds of one leaf: judged again at reading, or why it was refused."""

    staple: Staple | None
    """Judged good apart from its age: an expired one is here too, for `freshness` to say so."""
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class ResolverAnswer:
    """What one configured resolver made of one question."""

    resolver: str
    host: str
    problem: str | None
    """None: it answered with an address."""


@dataclass(frozen=True, slots=True)
class Running:
    """Whether the server runs, and what the service manager knows of it."""

    master: int | None
    """The master's process id."""
    unit: str | None = None
    """The systemd unit that owns it."""
    systemd: bool = False
    """This machine was booted with systemd."""
    cron: bool = False
    """A cron daemon that reads /etc/cron.d is installed."""


@dataclass(frozen=True, slots=True)
class Replaced:
    """A directive that stood in a block before ours took its place (`--replace`)."""

    file: PurePosixPath
    key: str
    """The site key of the block."""
    text: bytes
    """The bytes that stood there, from the name to the `;`."""
    by: tuple[str, ...]
    """The words of the directive that stands there now."""


@dataclass(frozen=True, slots=True)
class Inserted:
    """The directives we put into one block, in their order there."""

    file: PurePosixPath
    key: str
    words: tuple[tuple[str, ...], ...]


MARK = b"# written by staplecfg"
"""How a file of ours for a whole server begins: to be known by, should the record be lost."""


@dataclass(frozen=True, slots=True)
class Made:
    """Something of ours for a whole server: a file, a link, or lines at the top of a file.

    `config` is that server's main file. `digest` is of the file or link `path`
    as we left it; it is empty where `words` are lines in a file of somebody else's.
    """

    config: PurePosixPath
    path: PurePosixPath
    digest: str = ""
    words: tuple[tuple[str, ...], ...] = ()

    def stands(self, content: Content | None) -> bool:
        """Say whether `content`, found at `path`, is what we left there."""
        return content is not None and self.digest == digest(content)


def digest(content: Content) -> str:
    """Return what `content` is known again by, whatever its mode."""
    if content.link is None:
        return hashlib.sha256(content.data).hexdigest()
    return hashlib.sha256(f"link:{content.link}".encode("utf-8", "surrogateescape")).hexdigest()


@dataclass(frozen=True, slots=True)
class Record:
    """What staplecfg remembers of its own hand, so that remove takes out that and no more."""

    inserted: tuple[Inserted, ...] = ()
    replaced: tuple[Replaced, ...] = ()
    units: tuple[PurePosixPath, ...] = ()
    directories: tuple[PurePosixPath, ...] = ()
    """Those that were made for the units."""
    made: tuple[Made, ...] = ()
    """In the order in which they were made: what names comes after what it names."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What was observed; `chains` by configured path, `stored` and `attempts` by fingerprint."""

    now: datetime
    settings: Settings
    files: Filesystem
    installation: Installation
    configuration: Configuration
    templates: Templates
    chains: Mapping[PurePosixPath, Chain | NoChain]
    roots: tuple[Certificate, ...]
    """The system's roots and the user's; empty where neither could be read."""
    private_roots: tuple[Certificate, ...]
    """The user's alone (`--trust`)."""
    stored: Mapping[str, Stored]
    attempts: Mapping[str, Attempts]
    resolvers: tuple[ResolverAnswer, ...]
    running: Running
    record: Record
    targets: tuple[Target | NoTarget, ...] = ()
    """Every server that the state directory remembers, this one among them."""
    interrupted: PurePosixPath | None = None
    """The journal of a run that has neither ended nor been undone."""
    local_responders: Mapping[str, Heard] = field(default_factory=dict)
    """What came of asking `staplecfg serve`, by the URL at which sites ask it."""
