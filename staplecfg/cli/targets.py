"""Which servers a command is about: the one that is named, or every one that state remembers."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, TypeAlias

from staplecfg.cli import options as flags
from staplecfg.loading import settings as loading
from staplecfg.machine.disk import Disk
from staplecfg.model.errors import NotUnderstood, StaplecfgError, TargetVanished, UsageProblem
from staplecfg.model.source import Location
from staplecfg.model.target import NoTarget, Target
from staplecfg.planning import targeted, targets

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from staplecfg.model.settings import Settings

NAMING = ("server", "config", "binary", "prefix")
"""The flags that say which server is meant."""

Chosen: TypeAlias = "Settings | StaplecfgError"
"""A server to look at, or why one cannot be."""


def chosen(options: argparse.Namespace) -> tuple[Chosen, ...]:
    """Return the settings for each server that a run with `options` is about.

    That is the one that flags name, with what was remembered of it, or else
    every target in state; where there is none, the server that is installed.
    """
    wanted = flags.settings(options)
    given = flags.given(options)
    known = _known(wanted)
    if any(key in given for key in NAMING):
        return (_named(options, wanted, known),)
    return tuple(_again(each, options, wanted) for each in known) or (wanted,)


def the_one(options: argparse.Namespace) -> Settings:
    """Return the settings for the one server that `options` are about.

    Raises `UsageProblem` where there are several and none is named, or
    whatever keeps the one from being used.
    """
    found = chosen(options)
    if len(found) > 1:
        known = _known(flags.settings(options))
        configs = ", ".join(str(each.config) for each in known if isinstance(each, Target))
        raise UsageProblem(
            f"staplecfg looks after several servers here: {configs}",
            hint="name one with --config",
        )
    if isinstance(found[0], StaplecfgError):
        raise found[0]
    return found[0]


def to_remove(options: argparse.Namespace) -> Settings:
    """Return the settings for the one server that is to be removed, be it there or not."""
    try:
        return the_one(options)
    except TargetVanished:
        wanted = flags.settings(options)
        gone = next(each for each in _known(wanted) if isinstance(each, Target))
        return loading.settings(_flags(gone, options, wanted), wanted.file)


def _known(wanted: Settings) -> tuple[Target | NoTarget, ...]:
    return () if wanted.elsewhere else targets.load(Disk(Path("/")), wanted.state_dir)


def _named(
    options: argparse.Namespace, wanted: Settings, known: tuple[Target | NoTarget, ...]
) -> Settings:
    """Return `wanted`, under it what is remembered of the target that it names."""
    for each in known:
        if (
            isinstance(each, Target)
            and wanted.config == each.config
            and wanted.server in {None, each.server}
        ):
            return loading.settings(_flags(each, options, wanted), wanted.file or each.settings)
    return wanted


def _again(known: Target | NoTarget, options: argparse.Namespace, wanted: Settings) -> Chosen:
    """Return the settings by which the target `known` was applied, `options` over them."""
    if isinstance(known, NoTarget):
        hint = "move the file away, and run `staplecfg apply` for that server again"
        return NotUnderstood(f"a target: {known.problem}", at=Location(known.path), hint=hint)
    gone = targeted.vanished(known, Disk(Path("/")))
    if gone is not None:
        return TargetVanished(gone.problem, at=gone.location, hint=gone.hint)
    try:
        return loading.settings(_flags(known, options, wanted), wanted.file or known.settings)
    except StaplecfgError as error:
        return error


def _flags(known: Target, options: argparse.Namespace, wanted: Settings) -> Mapping[str, object]:
    return {
        **known.flags,
        "server": known.server,
        "config": str(known.config),
        **flags.given(options),
        "state_dir": str(PurePosixPath(wanted.state_dir)),
    }
