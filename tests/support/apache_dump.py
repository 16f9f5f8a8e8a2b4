"""What httpd itself makes of a configuration, directive by directive, and what we make of it.

    said = dump(main, server_root=root)         # apache2 -t -D DUMP_CONFIG
    assert said.directives == ours(main, server_root=root)

The dump counts the last physical line of a continued one, and the lines of a
macro's body by a rule of their own; both are brought to files and lines here.
"""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from staplecfg.machine.disk import Disk
from staplecfg.model.installation import Installation
from staplecfg.servers.apache import evaluate, words
from staplecfg.servers.apache.scan import last_line
from staplecfg.servers.apache.state import TELLING
from tests.support.apache import find_apache, modules_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from staplecfg.servers.apache.evaluate import Reading
    from staplecfg.servers.apache.expansion import Met

STATIC = (
    "core.c mod_so.c mod_watchdog.c http_core.c mod_log_config.c mod_logio.c mod_version.c "
    "mod_unixd.c"
)
"""What Debian's binary has compiled in (`apache2 -l`)."""

_FILE = re.compile(r"^# In file: (?P<place>.*)$")
_LINE = re.compile(r"^ *# *(?P<line>\d+):$")


class Told(NamedTuple):
    """One directive in effect: sections have a `<` before their name, names are in lower case."""

    file: str
    line: int
    used_at: tuple[tuple[str, int], ...]
    depth: int
    name: str
    args: tuple[str, ...]


@dataclass(frozen=True)
class Dump:
    """`directives` in their order; empty, and `error` says why, where httpd refuses."""

    directives: tuple[Told, ...]
    error: str


def module(name: str) -> str:
    """Return the line that loads the module `name`: `ssl`, `mpm_event`."""
    directory = modules_of(find_apache())
    return f"LoadModule {name}_module {directory}/mod_{name}.so\n"


def run(
    config: Path,
    *flags: str,
    server_root: Path,
    defines: Iterable[str] = (),
    environment: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run `apache2 -t` with `flags` on `config`: it reads, and starts nothing."""
    argv = [str(find_apache()), "-d", str(server_root), "-f", str(config), "-t", *flags]
    for name in defines:
        argv += ["-D", name]
    return subprocess.run(
        argv,
        env={"PATH": os.environ["PATH"], **(environment or {})},
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
        timeout=60,
        check=False,
    )


def dump(
    config: Path,
    *,
    server_root: Path,
    defines: Iterable[str] = (),
    environment: Mapping[str, str] | None = None,
    load_info: bool = True,
) -> Dump:
    """Return what httpd reads from `config`; `load_info` where it does not load mod_info itself."""
    flags = ["-D", "DUMP_CONFIG"]
    if load_info:
        flags = ["-C", module("info").strip(), *flags]
    result = run(config, *flags, server_root=server_root, defines=defines, environment=environment)
    if result.returncode != 0:
        return Dump((), result.stderr.strip())
    return Dump(tuple(parse(result.stdout)), "")


def parse(text: str) -> Iterator[Told]:
    """Yield the directives of a dump."""
    place, line = "", 0
    for row in text.splitlines():
        if found := _FILE.match(row):
            place = found["place"]
        elif found := _LINE.match(row):
            line = int(found["line"])
        elif row.strip() and place and not row.strip().startswith("</"):
            file, number, used = _resolved(place, line)
            # Of sections that hold nothing no end tag is printed.
            depth = (len(row) - len(row.lstrip(" "))) // 2
            yield _told(file, number, used, depth, row.strip())


def _told(file: str, line: int, used: tuple[tuple[str, int], ...], depth: int, text: str) -> Told:
    data = text.encode("utf-8", "surrogateescape")
    word, rest = words.next_word(data)
    assert word is not None
    end = data.rfind(b">") if word.startswith(b"<") else len(data)
    name = word.decode("utf-8", "surrogateescape").removesuffix(">")
    return Told(file, line, used, depth, name.lower(), words.split(data[rest : max(end, rest)]))


class _Macro(NamedTuple):
    defined: int
    file: str | _Macro
    used: int
    by: str | _Macro


def _resolved(text: str, line: int) -> tuple[str, int, tuple[tuple[str, int], ...]]:
    place, _ = _place(text, 0)
    return _in_file(place, line)


def _in_file(place: str | _Macro, line: int) -> tuple[str, int, tuple[tuple[str, int], ...]]:
    """Return the real file and line of line `line` of `place`, and the uses that lead there."""
    if isinstance(place, str):
        return str(Path(place).resolve()), line, ()
    by, number, used = _in_file(place.by, place.used)
    if isinstance(place.file, _Macro):  # defined in a macro's body, whose lines count on
        file, at, _ = _in_file(place.file, place.defined + line)
    else:
        file = str(Path(place.file).resolve())
        at = _body_line(Path(file), place.defined, line)
    return file, at, (*used, (by, number))


def _place(text: str, at: int) -> tuple[str | _Macro, int]:
    """Parse `macro 'NAME' (defined on line N of "PLACE") used on line N of "PLACE"`, or a path."""
    start = re.compile(r"macro '[^']*' \(defined on line (\d+) of \"").match(text, at)
    if start is None:
        end = text.find('"', at)
        end = len(text) if end < 0 else end
        return text[at:end], end
    file, at = _place(text, start.end())
    middle = re.compile(r"\"\) used on line (\d+) of \"").match(text, at)
    assert middle is not None, text
    by, at = _place(text, middle.end())
    assert text[at] == '"', text
    return _Macro(int(start[1]), file, int(middle[1]), by), at + 1


def _body_line(file: Path, defined: int, wanted: int) -> int:
    """Return the physical line of the `wanted`th line of the body that opens in line `defined`.

    mod_macro drops comments and counts what is left, continued lines as one.
    """
    count = 0
    joined = b""
    for number, line in enumerate(file.read_bytes().split(b"\n"), 1):
        if number <= defined:
            continue
        if line.endswith(b"\\"):
            joined += line[:-1]
            continue
        count += not (joined + line).strip().startswith(b"#")
        joined = b""
        if count == wanted:
            return number
    raise AssertionError(f"{file} has no line {wanted} after {defined}")


def installation(
    config: Path,
    *,
    server_root: Path,
    defines: Iterable[str] = (),
    environment: Mapping[str, str] | None = None,
) -> Installation:
    """Return what `commands.installation` would of this Apache."""
    details = {f"env:{name}": value for name, value in (environment or {}).items()}
    details |= {"static-modules": STATIC, "defines": " ".join([*defines, "DUMP_CONFIG"])}
    return Installation(
        "apache",
        PurePosixPath(find_apache()),
        (2, 4, 71),
        "Apache/2.4.71 (Debian)",
        PurePosixPath(config),
        PurePosixPath(server_root),
        details,
    )


def ours(
    config: Path,
    *,
    server_root: Path,
    defines: Iterable[str] = (),
    environment: Mapping[str, str] | None = None,
    load_info: bool = True,
) -> tuple[Told, ...]:
    """Return what we make of `config`, in the dump's terms; nothing where any of it is refused."""
    here = installation(config, server_root=server_root, defines=defines, environment=environment)
    if load_info:
        here.details["static-modules"] += " mod_info.c"  # type: ignore[index] # a dict, made above
    reading = evaluate.read(Disk(), here)
    return () if reading.walk.trouble.findings else tuple(told(reading))


def told(reading: Reading) -> Iterator[Told]:
    """Yield what takes effect, in the dump's terms."""
    numbers: dict[PurePosixPath, list[int]] = {}
    yield from _told_of(reading.top, 0, numbers)


def _told_of(
    found: Iterable[Met], depth: int, numbers: dict[PurePosixPath, list[int]]
) -> Iterator[Told]:
    for met in found:
        if met.name in TELLING or met.name == "DefaultRuntimeDir":
            continue  # carried out at once, and left out of the dump
        name = met.name.lower() if met.children is None else f"<{met.name.lower()}"
        used = tuple((str(Path(at.path).resolve()), at.line or 0) for at in met.used_at)
        line = last_line(met.text.data, met.directive)
        yield Told(str(met.text.file), line, used, depth, name, met.directive.args)
        yield from _told_of(met.children or (), depth + 1, numbers)
