"""The arguments that commands share, and the settings they become."""

from __future__ import annotations

import shlex
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from staplecfg.loading import settings as loading
from staplecfg.model.errors import UsageProblem

if TYPE_CHECKING:
    import argparse

    from staplecfg.model.settings import Settings

SEVERAL = {"sites", "exclude", "trust", "template_dirs", "replace", "responders.allow_networks"}
PATHS = {"binary", "trust", "template_dirs", "state_dir"}
"""Paths on this machine: relative ones count from where the command was given."""
IN_ROOT = {"config", "prefix"}
"""Paths on the inspected machine: relative ones count from its root, where that is another's."""
SERVER_NAMES = ("nginx", "apache")
DELIVERY_NAMES = ("file", "responder", "mod_md", "live")
"""Spelt out, for help is to be quick: the servers themselves take a second to import."""
COMMANDS = {"test_command", "reload_command"}


def add_frame(parser: argparse.ArgumentParser, formats: tuple[str, ...] = ("text", "json")) -> None:
    """Add what every command takes; `formats` are those it can be printed in."""
    group = parser.add_argument_group("output")
    group.add_argument(
        "--format", choices=formats, default="text", help="what to print (default: text)"
    )
    group.add_argument("--verbose", action="store_true", help="show the traceback of an error")


def add_selection(parser: argparse.ArgumentParser) -> None:
    """Add what says which server and which sites."""
    group = parser.add_argument_group("server and sites")
    group.add_argument("--settings", metavar="FILE", help="settings file (TOML)")
    add_flag(group, "server", choices=SERVER_NAMES, help="the server (default: the one installed)")
    add_flag(group, "config", metavar="FILE", help="main file (default: the binary's)")
    add_flag(
        group,
        "sites",
        flag="--site",
        metavar="GLOB",
        action="append",
        help="only sites with such a name, or PATH:LINE of the block; may be repeated",
    )
    add_flag(
        group,
        "exclude",
        metavar="GLOB",
        action="append",
        help="not these sites; may be repeated",
    )
    add_flag(group, "state_dir", metavar="DIR", help="where staples are kept (/var/lib/staplecfg)")
    add_flag(group, "offline", action="store_true", default=None, help="no network at all")


def add_expert(parser: argparse.ArgumentParser) -> None:
    """Add what few need."""
    group = parser.add_argument_group("seldom needed")
    add_flag(group, "binary", metavar="FILE", help="the server's binary (default: from PATH)")
    add_flag(group, "prefix", metavar="DIR", help="as in `nginx -p`, `httpd -d`")
    add_flag(
        group,
        "test_command",
        metavar="CMD",
        help="tests the configuration, instead of the server's own",
    )
    add_flag(group, "reload_command", metavar="CMD", help="reloads, instead of the server's own")
    add_trust(group)
    add_flag(
        group,
        "template_dirs",
        flag="--template-dir",
        metavar="DIR",
        action="append",
        help="templates that come before /etc/staplecfg/templates",
    )
    add_flag(
        group,
        "delivery",
        choices=DELIVERY_NAMES,
        help="how staples reach the server (default: what a site has already; docs/deliveries.md)",
    )
    add_listen(group)


def add_listen(group: argparse._ArgumentGroup) -> None:
    """Add where the local responder is."""
    add_flag(
        group,
        "serve.listen",
        metavar="ADDR:PORT",
        help="where `staplecfg serve` listens (127.0.0.1:889)",
    )


def add_trust(group: argparse._ArgumentGroup) -> None:
    """Add what opens doors that are otherwise closed."""
    add_flag(
        group,
        "trust",
        metavar="FILE",
        action="append",
        help="PEM file of private roots you vouch for; may be repeated",
    )
    add_flag(
        group,
        "responders.allow_networks",
        flag="--allow-network",
        metavar="CIDR",
        action="append",
        help="responders may have such an address, outside the public internet; may be repeated",
    )
    add_flag(
        group, "responders.proxy", metavar="URL", help="HTTP proxy for responders: http://HOST:PORT"
    )


def add_root(parser: argparse.ArgumentParser) -> None:
    """Add `--root`, for commands that only read."""
    group = parser.add_argument_group("another machine's configuration")
    add_flag(
        group,
        "root",
        metavar="DIR",
        help="DIR is `/` for every path: a checkout or an image; nothing is executed, no network",
    )


def add_flag(
    group: argparse._ArgumentGroup, key: str, flag: str | None = None, **kwargs: object
) -> None:
    """Add the flag of the setting `key` to `group`; `flag` where it is not named after it."""
    flag = flag or f"--{key.rpartition('.')[2].replace('_', '-')}"
    group.add_argument(flag, dest=key, **kwargs)  # type: ignore[arg-type] # argparse's own words


def settings(options: argparse.Namespace) -> Settings:
    """Return the settings that `options` and the settings file make together."""
    file = getattr(options, "settings", None)
    named = None if file is None else PurePosixPath(Path(file).absolute())
    return loading.settings(given(options), named)


def given(options: argparse.Namespace) -> dict[str, object]:
    """Return the settings that `options` give, by dotted key, paths made absolute."""
    flags: dict[str, object] = {}
    elsewhere = getattr(options, "root", None) is not None
    for key in loading.KEYS:
        value = getattr(options, key, None)
        if value is not None:
            flags[key] = _value(key, value, elsewhere=elsewhere)
    if elsewhere:
        root = Path(str(options.root)).resolve()
        if not root.is_dir():
            raise UsageProblem(f"--root: {root} is not a directory")
        flags["root"] = str(root)
    return flags


def _value(key: str, value: object, *, elsewhere: bool) -> object:
    if key in COMMANDS:
        return _words(key, str(value))
    if key in IN_ROOT and elsewhere:
        return str(PurePosixPath("/") / str(value))
    if key in PATHS | IN_ROOT and not (elsewhere and key == "state_dir"):
        if isinstance(value, list):
            return [str(Path(item).absolute()) for item in value]
        return str(Path(str(value)).absolute())
    return value


def _words(key: str, value: str) -> list[str]:
    try:
        return shlex.split(value)
    except ValueError as error:
        flag = key.replace("_", "-")
        raise UsageProblem(f"--{flag}: {str(error).lower()} in '{value}'") from None
