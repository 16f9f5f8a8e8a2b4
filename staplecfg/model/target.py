"""A server that staplecfg has configured, as its state remembers it: several share one machine."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from staplecfg.model.looks import Looks

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import PurePosixPath

Flags: TypeAlias = "Mapping[str, str | tuple[str, ...]]"
"""What was said on a command line, by the dotted key of the setting."""


@dataclass(frozen=True, slots=True)
class Target:
    """One server with one configuration: what to call it with, and what of the machine it uses.

    `settings` is the settings file that was named, None for the default one;
    `flags` is what the command line said besides, so that a renewal goes by the
    same. Everything else was observed.
    """

    server: str
    config: PurePosixPath
    """The main configuration file, absolute: with `server`, what makes it this target."""
    binary: PurePosixPath | None = None
    prefix: PurePosixPath | None = None
    settings: PurePosixPath | None = None
    flags: Flags = field(default_factory=dict)
    unit: str | None = None
    """The systemd unit that owns the server."""
    keys: tuple[str, ...] = ()
    """The site keys its configuration reads, whoever wrote the lines."""
    files: tuple[PurePosixPath, ...] = ()
    """The files of its configuration that staplecfg put lines into."""
    directories: tuple[PurePosixPath, ...] = ()
    """Where its certificates are, those in front; links and what they lead to."""
    stores: tuple[PurePosixPath, ...] = ()
    """Where outside the state directory staples are put for it."""
    served: bool = False
    """Whether it asks the local responder, `staplecfg serve`."""
    looks: Looks = field(default_factory=Looks)
    """How often it was to be looked after when it was applied."""

    def is_for(self, server: str, config: PurePosixPath) -> bool:
        """Say whether this is the target of `server` with the main file `config`."""
        return (self.server, self.config) == (server, config)


@dataclass(frozen=True, slots=True)
class NoTarget:
    """A file at `path` that should hold a target and does not; `problem` fits after a colon."""

    path: PurePosixPath
    problem: str
