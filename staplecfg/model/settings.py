"""What the user wants: settings file and flags, already merged and checked."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, TypeAlias

from staplecfg.model.looks import Looks

if TYPE_CHECKING:
    from collections.abc import Mapping
    from ipaddress import IPv4Network, IPv6Network

    from staplecfg.model.target import Flags

Network: TypeAlias = "IPv4Network | IPv6Network"

SLASH = PurePosixPath("/")
STATE_DIR = PurePosixPath("/var/lib/staplecfg")
TEMPLATE_DIR = PurePosixPath("/etc/staplecfg/templates")


class Schedule(Enum):
    """What renews the staples."""

    AUTO = "auto"
    SYSTEMD = "systemd"
    CRON = "cron"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Floors:
    """The shortest times staplecfg goes by; lowered only where staples live for minutes."""

    least_life_left: timedelta = timedelta(hours=1)
    """A new staple must live at least this long, or a tenth of its interval if that is less."""
    least_between_tries: timedelta = timedelta(hours=1)
    """Successful asking is not repeated sooner, or than a quarter of the staple's life."""
    first_backoff: timedelta = timedelta(minutes=5)
    most_backoff: timedelta = timedelta(hours=1)
    skew: timedelta = timedelta(seconds=300)
    """How far clocks may differ."""
    longest_interval: timedelta = timedelta(days=366)
    """A response valid for longer is refused."""


@dataclass(frozen=True, slots=True)
class Responders:
    """How responders are reached."""

    allow_networks: tuple[Network, ...] = ()
    """Addresses outside the public internet that may be asked: `--allow-network`."""
    proxy: str | None = None
    """`http://host:port`; the environment is not consulted."""
    override: Mapping[str, str] | None = None
    """Responder URL in the certificate -> URL to ask instead; an empty one means do not ask."""
    allow_sha1_signature: bool = False
    total: timedelta = timedelta(seconds=15)
    """The longest one try may take, from connecting to the last byte."""
    per_certificate: timedelta = timedelta(seconds=60)
    parallel: int = 6


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address (never a name) and a port to listen on."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Serve:
    """The local responder."""

    listen: Endpoint = Endpoint("127.0.0.1", 889)


@dataclass(frozen=True, slots=True)
class Nginx:
    """What nginx alone needs to know."""

    resolver: tuple[str, ...] = ()
    """The arguments of the `resolver` that the delivery `live` writes; empty: it writes none."""
    delivery: str | None = None
    """How staples reach it, where `--delivery` says nothing else for this run."""


@dataclass(frozen=True, slots=True)
class Apache:
    """What Apache alone needs to know."""

    delivery: str | None = None
    """How staples reach it, where `--delivery` says nothing else for this run."""
    defines: tuple[str, ...] = ()
    """Names that it is started with by -D, besides those its distribution's files say."""
    envvars: PurePosixPath | None = None
    """The file that sets its environment, instead of the distribution's own."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a user can decide; flags have won over the file."""

    server: str | None = None
    """None: whichever is installed."""
    config: PurePosixPath | None = None
    binary: PurePosixPath | None = None
    prefix: PurePosixPath | None = None
    root: PurePosixPath = SLASH
    sites: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    delivery: str | None = None
    state_dir: PurePosixPath = STATE_DIR
    template_dirs: tuple[PurePosixPath, ...] = (TEMPLATE_DIR,)
    trust: tuple[PurePosixPath, ...] = ()
    """PEM files of roots the user vouches for; the system's store is always used besides."""
    offline: bool = False
    test_command: tuple[str, ...] = ()
    """Empty: the server's own."""
    reload_command: tuple[str, ...] = ()
    replace: tuple[str, ...] = ()
    """Names of directives whose other value may be replaced: `--replace`."""
    force: bool = False
    """Edit files that a panel or a configuration manager regenerates."""
    schedule: Schedule = Schedule.AUTO
    unscheduled: bool = False
    looks: Looks = field(default_factory=Looks)
    """How often the schedule comes: `schedule.interval`, `schedule.dead_man_interval`."""
    unseen: bool = False
    """The server's processes cannot be seen from here: `--unseen`."""
    floors: Floors = field(default_factory=Floors)
    responders: Responders = field(default_factory=Responders)
    serve: Serve = field(default_factory=Serve)
    nginx: Nginx = field(default_factory=Nginx)
    apache: Apache = field(default_factory=Apache)
    file: PurePosixPath | None = field(default=None, compare=False)
    """The settings file that was named; None: the default one."""
    flags: Flags = field(default_factory=dict, compare=False)
    """What was said on the command line, by key: a target remembers it for its renewals."""

    def delivery_to(self, server: str) -> str | None:
        """Return the delivery that is asked for at `server`: its own, or the one for all."""
        return {"nginx": self.nginx.delivery, "apache": self.apache.delivery}.get(
            server
        ) or self.delivery

    @property
    def elsewhere(self) -> bool:
        """Say whether the configuration is another machine's: nothing is executed, no network."""
        return self.root != SLASH
