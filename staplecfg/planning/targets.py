"""The targets in state: one file for each server and configuration, as JSON."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import timedelta
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from staplecfg.model.errors import NotUnderstood, StaplecfgError
from staplecfg.model.looks import Looks
from staplecfg.model.target import NoTarget, Target

if TYPE_CHECKING:
    from collections.abc import Mapping

    from staplecfg.model.filesystem import Filesystem

DIRECTORY = "targets"
"""In the state directory."""

SCHEMA = 1

REMEMBERED = (
    "binary",
    "prefix",
    "template_dirs",
    "trust",
    "test_command",
    "reload_command",
    "responders.allow_networks",
    "responders.proxy",
    "serve.listen",
)
"""The flags that a renewal must be given again: not sites or deliveries, for the lines tell."""

NAME = re.compile(r"[a-z]+-[0-9a-f]{16}\.json")


def identity(server: str, config: PurePosixPath) -> str:
    """Return the name that the target of `server` with the main file `config` has in state."""
    digest = hashlib.sha256(f"{server}\n{config}".encode("utf-8", "surrogateescape"))
    return f"{server}-{digest.hexdigest()[:16]}"


def path(server: str, config: PurePosixPath, state_dir: PurePosixPath) -> PurePosixPath:
    """Return the file of that target."""
    return state_dir / DIRECTORY / f"{identity(server, config)}.json"


def encode(target: Target) -> bytes:
    """Return `target` as JSON; equal targets give equal bytes."""
    body = {
        "schema": SCHEMA,
        "server": target.server,
        "config": str(target.config),
        "binary": _written(target.binary),
        "prefix": _written(target.prefix),
        "settings": _written(target.settings),
        "flags": {key: target.flags[key] for key in sorted(target.flags)},
        "unit": target.unit,
        "keys": list(target.keys),
        "files": [str(each) for each in target.files],
        "directories": [str(each) for each in target.directories],
        "stores": [str(each) for each in target.stores],
        "served": target.served,
        "interval": _seconds_of(target.looks.interval),
        "dead_man_interval": _seconds_of(target.looks.dead_man_interval),
        "run": _seconds_of(target.looks.run),
    }
    return json.dumps(body, indent=2).encode("ascii") + b"\n"


def decode(data: bytes) -> Target:
    """Return the target that `data` holds; raises `NotUnderstood` where it holds none."""
    try:
        body = json.loads(data)
    except (ValueError, RecursionError):
        raise NotUnderstood("not JSON") from None
    if not isinstance(body, dict) or body.get("schema") != SCHEMA:
        raise NotUnderstood(f"not a target of schema {SCHEMA}")
    try:
        return _target(body)
    except (KeyError, TypeError, ValueError):
        raise NotUnderstood("a target with a member missing or of the wrong kind") from None


def load(files: Filesystem, state_dir: PurePosixPath) -> tuple[Target | NoTarget, ...]:
    """Return every target in `state_dir`, in the order of their names.

    One that cannot be read or is not what its name says is told as such, for
    then nobody knows what it uses. Other names are not ours.
    """
    directory = state_dir / DIRECTORY
    names = filter(NAME.fullmatch, files.listing(directory))
    return tuple(_load(files, directory / name) for name in names)


def _load(files: Filesystem, path: PurePosixPath) -> Target | NoTarget:
    try:
        found = decode(files.read(path))
    except StaplecfgError as error:
        return NoTarget(path, error.problem)
    if path.stem != identity(found.server, found.config):
        return NoTarget(path, "holds another target than its name says")
    return found


def _target(body: Mapping[str, object]) -> Target:
    flags = body["flags"]
    if not isinstance(flags, dict) or not flags.keys() <= set(REMEMBERED):
        raise TypeError
    return Target(
        server=_text(body["server"]),
        config=_path(body["config"]),
        binary=_path_or_none(body["binary"]),
        prefix=_path_or_none(body["prefix"]),
        settings=_path_or_none(body["settings"]),
        flags={key: _flag(value) for key, value in flags.items()},
        unit=None if body["unit"] is None else _text(body["unit"]),
        keys=tuple(_key(each) for each in _list(body["keys"])),
        files=tuple(_path(each) for each in _list(body["files"])),
        directories=tuple(_path(each) for each in _list(body["directories"])),
        stores=tuple(_path(each) for each in _list(body.get("stores", []))),
        served=body.get("served", False) is True,
        looks=_looks(body),
    )


def _looks(body: Mapping[str, object]) -> Looks:
    """Return how often is looked; before it was kept, it was hourly and every five minutes."""
    own = body.get("dead_man_interval")
    interval = _interval(body["interval"]) if "interval" in body else Looks().interval
    run = _interval(body["run"]) if "run" in body else Looks().run
    return Looks(interval, None if own is None else _interval(own), run)


def _interval(value: object) -> timedelta:
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        raise TypeError
    return timedelta(seconds=value)


def _seconds_of(value: timedelta | None) -> int | None:
    return None if value is None else int(value.total_seconds())


def _written(value: PurePosixPath | None) -> str | None:
    return None if value is None else str(value)


def _flag(value: object) -> str | tuple[str, ...]:
    return _text(value) if isinstance(value, str) else tuple(_text(each) for each in _list(value))


def _key(value: object) -> str:
    key = _text(value)
    if "/" in key or key in {".", ".."}:
        raise ValueError
    return key


def _path_or_none(value: object) -> PurePosixPath | None:
    return None if value is None else _path(value)


def _path(value: object) -> PurePosixPath:
    found = PurePosixPath(_text(value))
    if not found.is_absolute():
        raise ValueError
    return found


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise TypeError
    return value


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError
    return value
