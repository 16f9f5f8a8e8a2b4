"""The settings file and the flags, made into one `Settings`; flags win.

Every key is known by its dotted name (`responders.proxy`), which is also what a
message about it says. An unknown key is an error: a misspelt safety setting
that is silently ignored is worse than a run that stops.
"""

from __future__ import annotations

import difflib
import ipaddress
import re
import sys
from datetime import timedelta
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from staplecfg.machine.disk import Disk
from staplecfg.model.errors import Unreadable, UsageProblem
from staplecfg.model.looks import MINUTE, Looks
from staplecfg.model.settings import (
    TEMPLATE_DIR,
    Apache,
    Endpoint,
    Floors,
    Nginx,
    Responders,
    Schedule,
    Serve,
    Settings,
)
from staplecfg.model.source import Location

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

DEFAULT_FILE = PurePosixPath("/etc/staplecfg/staplecfg.toml")

MOST_BYTES = 1 << 20
"""No settings file is longer; whatever is was not meant."""

MOST_TIME = timedelta(days=36525)
"""A hundred years; dates much further away cannot be reckoned with."""


def text(value: object) -> str:
    """Accept a string that is not empty."""
    if not isinstance(value, str) or not value:
        raise ValueError("a string that is not empty")
    return value


def path(value: object) -> PurePosixPath:
    """Accept an absolute path."""
    if not isinstance(value, str) or not value.startswith("/"):
        raise ValueError("an absolute path")
    return PurePosixPath(value)


def switch(value: object) -> bool:
    """Accept true or false."""
    if not isinstance(value, bool):
        raise ValueError("true or false")  # noqa: TRY004 - the caller words all of these alike
    return value


def seconds(value: object) -> timedelta:
    """Accept a number of seconds, from 0."""
    most = MOST_TIME.total_seconds()
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        raise ValueError(f"a number of seconds, from 0 to {most:.0f}")
    return timedelta(seconds=value)


def positive_seconds(value: object) -> timedelta:
    """Accept a number of seconds above 0."""
    read = seconds(value)
    if not read:
        raise ValueError("a number of seconds above 0")
    return read


HOUR = 3600
LEAST_RUN = 2 * MINUTE
"""The dead man's timer is 30 s late at most, and he waits 30 s for the lock."""
BETWEEN_LOOKS = "a number of seconds that is whole minutes and divides an hour, to 3600"
"""What cron and systemd can both keep to; where the schedule is `none`, any seconds do."""


def between_looks(value: object) -> timedelta:
    """Accept seconds; `_looks` knows which of them cron and systemd can keep to."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= HOUR:
        raise ValueError(BETWEEN_LOOKS)
    return timedelta(seconds=value)


def a_run(value: object) -> timedelta:
    """Accept whole seconds, from 1: what a run takes until the server has read what it decides."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= HOUR:
        raise ValueError(f"a whole number of seconds, from 1 to {HOUR}")
    return timedelta(seconds=value)


def workers(value: object) -> int:
    """Accept how many certificates are asked about at a time."""
    most = 64
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
        raise ValueError(f"a whole number from 1 to {most}")
    return value


def network(value: object) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    """Accept one network: `10.0.0.0/8`, `fd00::/8`, or one address."""
    try:
        return ipaddress.ip_network(text(value))
    except ValueError:
        raise ValueError("a network such as 10.0.0.0/8, without host bits") from None


def proxy(value: object) -> str:
    """Accept `http://HOST:PORT`."""
    wanted = "http://HOST:PORT"
    try:
        url = urlsplit(text(value))
        port = url.port
    except ValueError:
        raise ValueError(wanted) from None
    if url.scheme != "http" or not url.hostname or not port or url.path.strip("/"):
        raise ValueError(wanted)
    return f"http://{url.netloc}"


def endpoint(value: object) -> Endpoint:
    """Accept `127.0.0.1:889` or `[::1]:889`: an address, for a name could become another's."""
    most = 65535
    host, _, port = text(value).rpartition(":")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    try:
        address = ipaddress.ip_address(bare)
        number = int(port) if port.isascii() and port.isdigit() else 0
    except ValueError:
        number = 0
    if not 1 <= number <= most or (":" in bare) != (bare != host):
        raise ValueError("ADDRESS:PORT, such as 127.0.0.1:889 or [::1]:889")
    return Endpoint(str(address), number)


def word(value: object) -> str:
    """Accept a string without blanks."""
    read = text(value)
    if read.split() != [read]:
        raise ValueError("words without blanks")
    return read


def schedule(value: object) -> Schedule:
    """Accept one of the schedules."""
    names = [member.value for member in Schedule]
    if value not in names:
        raise ValueError(f"one of {', '.join(names)}")
    return Schedule(value)


def overrides(value: object) -> Mapping[str, str]:
    """Accept a table of responder URL to responder URL."""
    if not isinstance(value, dict) or not all(isinstance(url, str) for url in value.values()):
        raise ValueError("a table of responder URL to the URL to ask instead")
    return dict(value)


def every(read: Callable[[object], Any]) -> Callable[[object], tuple[Any, ...]]:
    """Accept a list of what `read` accepts."""

    def read_all(value: object) -> tuple[Any, ...]:
        if not isinstance(value, list | tuple):
            raise ValueError("a list")  # noqa: TRY004 - the caller words all of these alike
        return tuple(read(item) for item in value)

    return read_all


KEYS: Mapping[str, Callable[[object], Any]] = {
    "server": text,
    "config": path,
    "binary": path,
    "prefix": path,
    "root": path,
    "sites": every(text),
    "exclude": every(text),
    "delivery": text,
    "state_dir": path,
    "template_dirs": every(path),
    "trust": every(path),
    "offline": switch,
    "test_command": every(text),
    "reload_command": every(text),
    "replace": every(text),
    "force": switch,
    "schedule": schedule,
    "unscheduled": switch,
    "unseen": switch,
    "schedule.interval": between_looks,
    "schedule.dead_man_interval": between_looks,
    "schedule.run": a_run,
    "responders.allow_networks": every(network),
    "responders.proxy": proxy,
    "responders.override": overrides,
    "responders.allow_sha1_signature": switch,
    "responders.total": positive_seconds,
    "responders.per_certificate": positive_seconds,
    "responders.parallel": workers,
    "floors.least_life_left": seconds,
    "floors.least_between_tries": seconds,
    "floors.first_backoff": seconds,
    "floors.most_backoff": seconds,
    "floors.skew": seconds,
    "floors.longest_interval": positive_seconds,
    "serve.listen": endpoint,
    "nginx.delivery": text,
    "nginx.resolver": every(word),
    "apache.delivery": text,
    "apache.defines": every(word),
    "apache.envvars": path,
}

FLAGS_ONLY = {"root", "replace", "unscheduled", "force", "unseen"}
"""Decisions about one run, or that need consent each time."""


def settings(flags: Mapping[str, object], file: PurePosixPath | None) -> Settings:
    """Return `flags` laid over the settings file: `file`, or the default one where it exists.

    `flags` are by dotted key, only those given. Raises `UsageProblem` for a key
    or a value that makes no sense, `Unreadable` where `file` cannot be read.
    """
    where = _Where(file or DEFAULT_FILE)
    values = _read(_table(file), where)
    values |= {key: _accept(key, value, None) for key, value in flags.items()}
    if "delivery" in flags:
        # A decision about this run is stronger than what the file says of one server.
        values = {key: value for key, value in values.items() if key not in OF_ONE_SERVER}
    given = values.pop("template_dirs", ())
    top = {key: value for key, value in values.items() if "." not in key}
    return Settings(
        **top,
        template_dirs=(*given, TEMPLATE_DIR),
        responders=Responders(**_section("responders", values)),
        floors=Floors(**_section("floors", values)),
        serve=Serve(**_section("serve", values)),
        nginx=Nginx(**_section("nginx", values)),
        apache=Apache(**_section("apache", values)),
        looks=_looks(values, where),
        file=file,
        flags={key: _as_said(value) for key, value in flags.items()},
    )


def _as_said(value: object) -> str | tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _section(name: str, values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key.partition(".")[2]: value for key, value in values.items() if key.startswith(f"{name}.")
    }


def _looks(values: Mapping[str, Any], where: _Where) -> Looks:
    """Return how often is looked; `warm` twice as seldom as the dead man, or he is always first."""
    looks = Looks(**_section("schedule", values))
    for key in ("interval", "dead_man_interval"):
        seconds = int(values.get(f"schedule.{key}", timedelta(hours=1)).total_seconds())
        if values.get("schedule") is not Schedule.NONE and (seconds % 60 or HOUR % seconds):
            name = f"schedule.{key}"
            raise UsageProblem(f"`{name}` takes {BETWEEN_LOOKS}", at=where.line(name))
    if looks.dead_man > looks.interval / 2:
        own = "`schedule.dead_man_interval` takes half of `schedule.interval` or less"
        raise UsageProblem(own, at=where.line("schedule.dead_man_interval"))
    if values.get("schedule") is not Schedule.NONE:
        if looks.dead_man < MINUTE:
            short = (
                "`schedule.interval` takes 120 or more: the dead man comes once a minute at most"
            )
            raise UsageProblem(short, at=where.line("schedule.interval"))
        if looks.run < LEAST_RUN:
            least = f"`schedule.run` takes {LEAST_RUN.seconds} or more, but with schedule `none`"
            raise UsageProblem(least, at=where.line("schedule.run"))
    return looks


class _Where:
    """Finds the line of a key, for TOML readers keep none."""

    def __init__(self, file: PurePosixPath) -> None:
        self.file = file

    def line(self, key: str) -> Location:
        word = re.escape(key.rpartition(".")[2])
        try:
            lines = Path(self.file).read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError):
            return Location(self.file)
        pattern = re.compile(rf"\s*(\[.*)?[\"']?{word}\b")
        found = (number for number, line in enumerate(lines, 1) if pattern.match(line))
        return Location(self.file, next(found, None))


def _table(file: PurePosixPath | None) -> Mapping[str, object]:
    at = Location(file or DEFAULT_FILE)
    disk = Disk(Path("/"))
    if file is None and not disk.exists(at.path):
        return {}
    try:
        data = disk.read(at.path)
    except Unreadable as error:
        hint = error.hint or "name the settings file with --settings"
        raise Unreadable(error.problem, at=at, hint=hint) from None
    if len(data) > MOST_BYTES:
        raise Unreadable("larger than any settings file", at=at)
    try:
        return tomllib.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        line = re.search(r"at line (\d+)", str(error))
        at = Location(at.path, int(line[1]) if line else None)
        raise UsageProblem(f"not TOML: {error}", at=at) from None


def _read(table: Mapping[str, object], where: _Where) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key, value in _flat(table):
        if key not in KEYS or key in FLAGS_ONLY:
            near = difflib.get_close_matches(key, KEYS.keys() - FLAGS_ONLY, n=1)
            hint = f"did you mean `{near[0]}`?" if near else None
            raise UsageProblem(f"unknown setting `{key}`", at=where.line(key), hint=hint)
        values[key] = _accept(key, value, where)
    return values


def _flat(table: Mapping[str, object]) -> list[tuple[str, object]]:
    flat: list[tuple[str, object]] = []
    for key, value in table.items():
        if key in SECTIONS and isinstance(value, dict):
            flat += [
                (ALIASES.get(f"{key}.{name}", f"{key}.{name}"), v) for name, v in value.items()
            ]
        else:
            flat.append((key, value))
    return flat


SECTIONS = {"responders", "floors", "serve", "nginx", "apache", "schedule"}
ALIASES = {"schedule.kind": "schedule"}
"""Settings that a section holds, and that are known without it."""
OF_ONE_SERVER = {"nginx.delivery", "apache.delivery"}
"""What the flag `--delivery` overrules."""


def _accept(key: str, value: object, where: _Where | None) -> Any:  # noqa: ANN401 - keys differ
    try:
        return KEYS[key](value)
    except ValueError as error:
        named = f"`{key}`" if where else f"--{key.rpartition('.')[2].replace('_', '-')}"
        at = where.line(key) if where else None
        raise UsageProblem(f"{named} takes {error}", at=at) from None
