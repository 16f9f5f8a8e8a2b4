"""What the distribution starts Apache with: variables, and arguments such as `-D SSL`.

    Debian      envvars beside the main file; APACHE_ARGUMENTS
    Red Hat     /etc/sysconfig/httpd; OPTIONS
    Gentoo      /etc/conf.d/apache2; APACHE2_OPTS
    upstream    bin/envvars under the prefix

Each is there for that layout alone. The settings can name another file
(`apache.envvars`), and flags besides (`apache.defines`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from staplecfg.model.errors import Unreadable
from staplecfg.model.finding import Finding, Severity
from staplecfg.model.source import Location
from staplecfg.servers.apache.shell import variables
from staplecfg.servers.apache.shell_words import NotPlain, commands, expanded

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from staplecfg.model.filesystem import Filesystem

RULE = "configuration-trouble"

SYSCONFIG = PurePosixPath("/etc/sysconfig/httpd")
CONF_D = PurePosixPath("/etc/conf.d/apache2")
_RED_HAT = PurePosixPath("/etc/httpd")
_ETC_APACHE2 = PurePosixPath("/etc/apache2")

ARGUMENTS = ("APACHE_ARGUMENTS", "OPTIONS", "APACHE2_OPTS")
"""The variables that hold arguments, by distribution; no file has more than one of them."""

_NOT_STATE = frozenset({"FOREGROUND", "NO_DETACH", "DEBUG", "ONE_PROCESS"})
"""How it is started, not what it reads; with FOREGROUND our own commands would never end."""

_READ = frozenset({"-D", "-d", "-f", "-C", "-c"})
_VALUED = _READ | {"-k", "-e", "-E"}
"""httpd's options that take a value (main.c, 2.4); -E is left to itself: it names a log."""


@dataclass(frozen=True, slots=True)
class Environment:
    """`defines` are the names after -D; `findings` say what was not understood."""

    variables: Mapping[str, str] = field(default_factory=dict)
    defines: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()


def environment(
    files: Filesystem,
    config: PurePosixPath,
    prefix: PurePosixPath,
    named: PurePosixPath | None = None,
) -> Environment:
    """Return what the server with the main file `config` is started with.

    `named` is the file to read instead of the distribution's own. What cannot be
    read or understood is a finding, and unknown.
    """
    path = named or _file(files, config, prefix)
    if path is None:
        return Environment()
    try:
        text = files.read(path).decode("utf-8", "surrogateescape")
    except Unreadable as error:
        hint = "run as a user who may read it"
        return Environment(findings=(_finding(Location(path), error.problem, error.hint or hint),))
    given = {"APACHE_CONFDIR": str(config.parent)}
    read = variables(text, given, export=path == SYSCONFIG)
    odd = [_odd(Location(path, line), why) for line, why in read.odd]
    arguments = [read.values[name] for name in ARGUMENTS if name in read.values]
    exported = {name: value for name, value in read.exported.items() if name not in ARGUMENTS}
    defines, more = _defines(arguments, Location(path))
    return Environment(exported, defines, (*odd, *more))


def _file(files: Filesystem, config: PurePosixPath, prefix: PurePosixPath) -> PurePosixPath | None:
    places = [config.parent / "envvars"]
    if _RED_HAT in config.parents:
        places.append(SYSCONFIG)
    if _ETC_APACHE2 in config.parents:
        places.append(CONF_D)
    places.append(prefix / "bin/envvars")
    return next((path for path in places if files.exists(path)), None)


def options(words: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield those options among `words` that bear on what is read, with their values.

    Both `-D X` and `-DX` are written (apr_getopt(3)). What only says how the
    server is started is left out.
    """
    words = iter(words)
    for word in words:
        option = word[:2]
        if option in _VALUED:
            value = word[2:] or next(words, "")
            if option in _READ and not (option == "-D" and value in _NOT_STATE):
                yield option, value


def _defines(arguments: Iterable[str], at: Location) -> tuple[tuple[str, ...], tuple[Finding, ...]]:
    """Return the names that -D defines in `arguments`, and what else there was to tell."""
    found: list[str] = []
    odd: list[Finding] = []
    for text in arguments:
        try:
            words = [expanded(word, {}) for each in commands(text) for word in each]
        except NotPlain as error:
            odd.append(_odd(at, f"the arguments `{text}`: {error}"))
            continue
        for option, value in options(words):
            if option == "-D":
                found.append(value)
            elif option in {"-d", "-f"}:
                hint = "name it with --config, the ServerRoot with --prefix"
                odd.append(_finding(at, f"`{option} {value}` is not followed", hint))
            else:
                hint = "put the directive into a configuration file"
                odd.append(_finding(at, f"`{option} {value}` is not read", hint))
    return tuple(dict.fromkeys(found)), tuple(odd)


def _odd(at: Location, why: str) -> Finding:
    hint = "name another file by `apache.envvars`, with plain assignments"
    return _finding(at, f"this line is not understood: {why}; what it sets is unknown", hint)


def _finding(at: Location, problem: str, hint: str) -> Finding:
    return Finding(RULE, Severity.WARNING, at, problem, hint)
