"""What `apache2 -t -D DUMP_VHOSTS -D DUMP_INCLUDES -D DUMP_RUN_CFG` prints, as values (2.4.71)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

_VHOST = re.compile(
    r"^(?:\S+ +|         default server |         port (?:\d+|\*) namevhost )"
    r"(?P<name>\S+) \((?P<place>.+):(?P<line>\d+)\)$"
)
_MACRO = re.compile(
    r"macro '(?P<name>[^']*)' \(defined on line (?P<defined>\d+) of \"(?P<file>.*?)\"\)"
    r" used on (?P<used>line \d+ of \".*\")"
)
_INCLUDED = re.compile(r"^ +\((?:\*|\d+)\) (?P<path>/.*)$")
_PID_FILE = re.compile(r'^PidFile: "(?P<path>.*)"$')


@dataclass(frozen=True, slots=True)
class VirtualHost:
    """Where a `<VirtualHost>` line stands: `line` is the last of a continued one, as httpd counts.

    Of one in a macro's body that is where the macro is defined, for lines of the
    body are counted by a rule of their own; `used` says where it is used.
    """

    name: str
    """The server name it answers to first; httpd makes one up where none is configured."""
    path: PurePosixPath
    line: int
    used: str | None = None


@dataclass(frozen=True, slots=True)
class Dumps:
    """What httpd says of its own reading; `pid_file` is absolute."""

    virtual_hosts: frozenset[VirtualHost]
    included: frozenset[PurePosixPath]
    pid_file: PurePosixPath | None


def dumps(said: str) -> Dumps | None:
    """Return what `said`, the command's standard output, holds; None where it is no such dump.

    A virtual host with several addresses is listed for each of them.
    """
    if "Included configuration files:" not in said or "VirtualHost configuration:" not in said:
        return None
    hosts: set[VirtualHost] = set()
    included: set[PurePosixPath] = set()
    pid_file = None
    for line in said.splitlines():
        if host := _VHOST.match(line):
            hosts.add(_virtual_host(host))
        elif path := _INCLUDED.match(line):
            included.add(PurePosixPath(path["path"]))
        elif pid := _PID_FILE.match(line):
            pid_file = PurePosixPath(pid["path"])
    return Dumps(frozenset(hosts), frozenset(included), pid_file)


def _virtual_host(found: re.Match[str]) -> VirtualHost:
    name, place, line = found["name"], found["place"], int(found["line"])
    macro = _MACRO.fullmatch(place)
    if macro is None:
        return VirtualHost(name, PurePosixPath(place), line)
    used = f"{macro['used']}, line {line}"
    return VirtualHost(name, PurePosixPath(macro["file"]), int(macro["defined"]), used)
