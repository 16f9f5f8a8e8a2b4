"""Where a distribution keeps lines that count for the whole server, and how it loads modules.

Told by what the configuration reads, not by the name of a distribution: a copy
of Debian's tree elsewhere is Debian's layout too.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from staplecfg.servers.apache import globs, ours
from staplecfg.servers.apache.managed import server_root
from staplecfg.servers.apache.ours import NAME
from staplecfg.servers.interface import SharedLink

if TYPE_CHECKING:
    from staplecfg.model.facts import Facts
    from staplecfg.servers.interface import Words


@dataclass(frozen=True, slots=True)
class Layout:
    """Where our file goes: `file`, with the `link` or the main file's `line` that has it read."""

    file: PurePosixPath
    link: SharedLink | None = None
    line: Words | None = None


@dataclass(frozen=True, slots=True)
class ModuleLine:
    """A module that a line of ours loads: its `name` and its `file`, as httpd takes them."""

    name: str
    file: str


def layout(facts: Facts) -> Layout:
    """Return where lines for the whole server belong.

    Debian: `conf-available`, with a link in `conf-enabled`. Red Hat, SUSE and
    Alpine: `conf.d`. Elsewhere: beside the main file, which gets a line.
    """
    beside = facts.configuration.main.parent
    root = server_root(facts.configuration, facts.installation.prefix)
    enabled = beside / "conf-enabled" / NAME
    if _read(enabled, facts):
        link = SharedLink(enabled, f"../conf-available/{NAME}")
        return Layout(beside / "conf-available" / NAME, link=link)
    for directory in (root, beside):
        if _read(directory / "conf.d" / NAME, facts):
            return Layout(directory / "conf.d" / NAME)
    own = beside / NAME
    # A line that we put in ourselves is no reason to do without it.
    read = [pattern for pattern in facts.configuration.patterns if pattern != str(own)]
    if any(globs.reads(pattern, own, facts.files) for pattern in read):
        return Layout(own)
    return Layout(own, line=("Include", str(own)))


def module(name: str, facts: Facts) -> tuple[SharedLink, ...] | ModuleLine | None:
    """Return what it takes for the module `name` (`socache_shmcb`) to be loaded.

    Nothing (an empty tuple) where it is already, by somebody else's hand or by
    being compiled in; None where it is not there to be loaded.
    """
    known = {each.args[0] for each in ours.foreign("LoadModule", facts) if each.args}
    static = facts.installation.details.get("static-modules", "").split()
    if f"{name}_module" in known or f"mod_{name}.c" in static:
        return ()
    beside = facts.configuration.main.parent
    available = beside / "mods-available" / f"{name}.load"
    if facts.files.exists(available) and _read(beside / "mods-enabled" / f"{name}.load", facts):
        return _enabled(name, beside, facts)
    return _library(name, facts)


def _enabled(name: str, beside: PurePosixPath, facts: Facts) -> tuple[SharedLink, ...]:
    """Return the links that a2enmod makes."""
    files = [f"{name}.conf", f"{name}.load"]
    return tuple(
        SharedLink(beside / "mods-enabled" / each, f"../mods-available/{each}")
        for each in files
        if facts.files.exists(beside / "mods-available" / each)
    )


def _library(name: str, facts: Facts) -> ModuleLine | None:
    """Return the line for a module that lies beside another that is loaded."""
    root = server_root(facts.configuration, facts.installation.prefix)
    for each in facts.configuration.globals.get("LoadModule", ()):
        if len(each.args) != 2:  # noqa: PLR2004 - a name and a file
            continue
        beside = PurePosixPath(each.args[1]).parent / f"mod_{name}.so"
        if facts.files.exists(root / beside):
            return ModuleLine(f"{name}_module", str(beside))
    return None


def _read(path: PurePosixPath, facts: Facts) -> bool:
    real = facts.files.resolve(path.parent) / path.name
    return any(globs.reads(each, real, facts.files) for each in facts.configuration.patterns)
