"""Where a server's binary is, and which of the servers are installed at all."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from staplecfg.machine.disk import Disk
from staplecfg.machine.run import program, run
from staplecfg.model.errors import NotUnderstood, Unreadable, UsageProblem

if TYPE_CHECKING:
    from collections.abc import Iterable

    from staplecfg.machine.run import Completed
    from staplecfg.model.filesystem import Filesystem
    from staplecfg.model.installation import Installation
    from staplecfg.model.settings import Settings
    from staplecfg.servers.interface import Server

SECONDS = 20.0


def found(server: Server, settings: Settings) -> Settings:
    """Return `settings` with the binary of `server`: the one they name, or the first on the PATH.

    Where there is none, they stay as they are: running it says so.
    """
    if settings.binary is not None:
        return settings
    places = (program(name) for name in server.commands.programs)
    first = next((place for place in places if place is not None), None)
    return settings if first is None else replace(settings, binary=PurePosixPath(first))


def installed(servers: Iterable[Server], settings: Settings) -> tuple[Server, ...]:
    """Return those of `servers` that `settings` can be about, where they name none of them.

    That is: which the named binary is, whose main file is there under another
    root, whose program is on the PATH.
    """
    if settings.elsewhere:
        return tuple(each for each in servers if _has_main_file(each, settings))
    if settings.binary is not None:
        return tuple(each for each in servers if _is(each, settings))
    return tuple(each for each in servers if found(each, settings).binary is not None)


def the_one(servers: Iterable[Server], settings: Settings) -> Server:
    """Return the one server that `settings` are about; raises `UsageProblem` where there are more.

    Where there is none at all it is the first: whatever is done with it says what is missing.
    """
    servers = tuple(servers)
    if settings.server is not None:
        for each in servers:
            if each.name == settings.server:
                return each
        known = ", ".join(each.name for each in servers)
        raise UsageProblem(
            f'there is no server "{settings.server}" that staplecfg knows', hint=f"one of {known}"
        )
    there = installed(servers, settings)
    if len(there) > 1:
        names = " and ".join(each.name for each in there)
        what = "have a configuration there" if settings.elsewhere else "are installed"
        hint = " or ".join(f"--server {each.name}" for each in there)
        raise UsageProblem(f"{names} {what}, and only one is meant", hint=f"say which: {hint}")
    return there[0] if there else servers[0]


def described(server: Server, settings: Settings, files: Filesystem) -> Installation:
    """Return what the binary of `server` says of itself; under another root nothing is executed.

    Raises `Unreadable` where it cannot be run, `NotUnderstood` where it is another server's.
    """
    if settings.elsewhere:
        return server.commands.installation((), settings, None, files)
    completed: list[Completed] = []
    for command in server.commands.describe(found(server, settings)):
        completed.append(run(command.argv, timeout=SECONDS, more=command.environment))
        if completed[-1].status not in command.good:
            raise Unreadable(
                f"`{' '.join(command.argv)}` did not describe the server:"
                f" {completed[-1].output.strip()}",
                hint="name the binary with --binary, or read a tree with --root DIR",
            )
    outputs = [each.output for each in completed]
    binary = PurePosixPath(completed[0].argv[0])
    return server.commands.installation(outputs, settings, binary, files)


def _has_main_file(server: Server, settings: Settings) -> bool:
    disk = Disk(Path(settings.root))
    return any(disk.exists(path) for path in server.commands.main_files(settings))


def _is(server: Server, settings: Settings) -> bool:
    """Say whether the binary that `settings` name describes itself as `server`."""
    try:
        described(server, settings, Disk(Path("/")))
    except (NotUnderstood, Unreadable):
        return False
    return True
