"""Whether httpd reads this configuration as we do; where it does not, nothing is edited.

What is compared: the files that are read, the virtual hosts that are there and
where each begins, and where the pid file is. That is what an edit hangs on: a
file we missed may hold a directive that is in effect everywhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.model.errors import Unreadable
from staplecfg.model.finding import Finding, Severity
from staplecfg.model.source import Location
from staplecfg.servers.apache.commands import COMMANDS
from staplecfg.servers.apache.dumps import dumps
from staplecfg.servers.apache.scan import last_line, walk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import PurePosixPath
    from typing import TypeAlias

    from staplecfg.model.directive import Directive
    from staplecfg.model.filesystem import Filesystem
    from staplecfg.model.installation import Installation
    from staplecfg.model.site import Configuration, SourceFile
    from staplecfg.servers.apache.dumps import Dumps

    Place: TypeAlias = tuple[PurePosixPath, int]

RULE = "readers-disagree"
VIRTUAL_HOST = "VirtualHost"
_MACRO = "Macro"
_HINT = "nothing is edited there; please report it, this shape is new to staplecfg"


def agreement(
    configuration: Configuration, installation: Installation, files: Filesystem, said: str
) -> tuple[Finding, ...]:
    """See `servers.interface.Agreement`; `said` is what `-t -D DUMP_...` prints on stdout."""
    theirs = dumps(said)
    if theirs is None:
        problem = "httpd does not say how it reads its configuration"
        return (_finding(configuration.main, None, problem),)
    everywhere = (
        *_included(configuration, theirs, files),
        *_pid_file(configuration, installation, theirs, files),
    )
    return everywhere or tuple(_virtual_hosts(configuration, theirs, files))


def _pid_file(
    configuration: Configuration, installation: Installation, theirs: Dumps, files: Filesystem
) -> Iterator[Finding]:
    """Yield that the pid file is elsewhere: a server that runs would be taken not to."""
    ours = COMMANDS.pid_file(configuration, installation)
    said = theirs.pid_file
    if said is not None and _resolved(said, files) != _resolved(ours, files):
        problem = f"httpd has its pid file at {said}, and staplecfg takes it to be {ours}"
        yield _finding(configuration.main, None, problem)


def _included(configuration: Configuration, theirs: Dumps, files: Filesystem) -> Iterator[Finding]:
    """Yield what one reads and the other does not: then nobody knows what is in effect."""
    read = {_resolved(path, files) for path in theirs.included}
    for path in sorted(read - configuration.files.keys()):
        problem = f"httpd reads {path}, and staplecfg does not"
        yield _finding(configuration.main, None, problem)
    for path in sorted(configuration.files.keys() - read):
        problem = f"staplecfg reads {path}, and httpd does not"
        yield _finding(configuration.main, None, problem)


def _virtual_hosts(
    configuration: Configuration, theirs: Dumps, files: Filesystem
) -> Iterator[Finding]:
    in_effect = {(_resolved(host.path, files), host.line) for host in theirs.virtual_hosts}
    known = {path: _places(source) for path, source in configuration.files.items()}
    ours = {
        known[file][start]
        for file, start in _of_ours(configuration)
        if start in known.get(file, {})
    }
    for place in sorted(in_effect - ours):
        yield _finding(*place, "httpd has a virtual host here, and staplecfg has none")
    for place in sorted(ours - in_effect):
        yield _finding(*place, "staplecfg has a virtual host here, and httpd has none")


def _of_ours(configuration: Configuration) -> Iterator[tuple[PurePosixPath, int]]:
    """Yield the file and the first byte of each virtual host that we take to be in effect."""
    for site in configuration.sites:
        if site.block.name == VIRTUAL_HOST:
            yield site.file, site.block.span.start
    for each in configuration.globals.get(VIRTUAL_HOST, ()):
        yield each.file, each.directive.span.start


def _places(source: SourceFile) -> dict[int, Place]:
    """Return the place by which httpd names each `<VirtualHost>` of `source`, by its first byte."""
    found: dict[int, Place] = {}
    macros: list[Directive] = []
    for each in walk(source.directives):
        if each.name == _MACRO:
            macros.append(each)
        if each.name == VIRTUAL_HOST:
            inside = (m for m in macros if m.span.start < each.span.start < m.span.end)
            named = next(inside, each)
            found[each.span.start] = (source.file, last_line(source.data, named))
    return found


def _resolved(path: PurePosixPath, files: Filesystem) -> PurePosixPath:
    try:
        return files.resolve(path)
    except Unreadable:  # links in a circle, by now
        return path


def _finding(path: PurePosixPath, line: int | None, problem: str) -> Finding:
    return Finding(RULE, Severity.WARNING, Location(path, line), problem, _HINT)
