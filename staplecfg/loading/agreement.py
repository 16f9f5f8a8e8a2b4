"""The server asked how it reads its configuration; where we read another, nothing is edited."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

from staplecfg.machine import processes
from staplecfg.machine.run import run
from staplecfg.model.finding import Finding, Severity
from staplecfg.model.source import Location

if TYPE_CHECKING:
    from pathlib import PurePosixPath

    from staplecfg.model.filesystem import Filesystem
    from staplecfg.model.installation import Installation
    from staplecfg.model.site import Configuration, SourceFile
    from staplecfg.servers.interface import Server

RULE = "configuration-trouble"

SECONDS = 300.0
MOST = 64 * 1024 * 1024
"""Bytes: a line for each virtual host and name, of which there are tens of thousands."""


def checked(
    server: Server,
    configuration: Configuration,
    installation: Installation,
    files: Filesystem,
    master: int | None,
) -> Configuration:
    """Return `configuration` with what `server` itself reads otherwise as findings and refusals.

    `master` is the process of the one that runs: its arguments tell, too. A
    file that is refused already stays so. A finding at the main file refuses
    all of them: nobody knows then what is in effect.
    """
    found = (
        *_evidence(server, configuration, installation, files),
        *_started(server, configuration, installation, master),
    )
    if not found:
        return configuration
    sources = {
        path: _refused(source, configuration.main, found)
        for path, source in configuration.files.items()
    }
    return replace(configuration, files=sources, findings=(*configuration.findings, *found))


def _evidence(
    server: Server, configuration: Configuration, installation: Installation, files: Filesystem
) -> tuple[Finding, ...]:
    command = server.commands.evidence(installation)
    if command is None or server.agreement is None:
        return ()
    if all(source.refusal is not None for source in configuration.files.values()):
        return ()  # nothing more can be refused; and a pipe would keep httpd waiting
    completed = run(
        command.argv, timeout=SECONDS, more=command.environment, errors=False, most=MOST
    )
    if completed.status in command.good:
        return server.agreement(configuration, installation, files, completed.output)
    # Once more for its reasons, which stood on stderr.
    again = run(command.argv, timeout=SECONDS, more=command.environment)
    problem = f"{server.name} does not read its configuration: {_reason(again.output)}"
    hint = f"mend that first, nothing is edited until then: {shlex.join(command.words)}"
    return (Finding(RULE, Severity.ERROR, Location(configuration.main), problem, hint),)


def _reason(output: str) -> str:
    """Return the last that was said, with the line before it where that leads to it."""
    *above, last = [line.strip() for line in output.splitlines() if line.strip()] or [""]
    return f"{above[-1]} {last}" if above and above[-1].endswith(":") else last


def _started(
    server: Server, configuration: Configuration, installation: Installation, master: int | None
) -> tuple[Finding, ...]:
    """Return the finding that the running server was started to read something else."""
    argv = () if master is None else processes.arguments(master)
    why = server.commands.started_otherwise(argv, installation) if argv else None
    if why is None:
        return ()
    problem = f"{server.name} does not run by this configuration as it is read here: {why[0]}"
    return (Finding(RULE, Severity.ERROR, Location(configuration.main), problem, why[1]),)


def _refused(source: SourceFile, main: PurePosixPath, found: tuple[Finding, ...]) -> SourceFile:
    if source.refusal is not None:
        return source
    about = (each for each in found if each.location.path in {main, source.path, source.file})
    return replace(source, refusal=next(about, None))
