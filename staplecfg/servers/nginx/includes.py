"""Every file nginx reads at start, each once, whatever names lead to it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from staplecfg.model.errors import NotUnderstood, StaplecfgError, Unreadable
from staplecfg.model.finding import Finding, Severity
from staplecfg.model.site import SourceFile
from staplecfg.model.source import Location
from staplecfg.servers.nginx.generated import generated
from staplecfg.servers.nginx.globs import expand, is_pattern
from staplecfg.servers.nginx.scan import scan, walk

if TYPE_CHECKING:
    from collections.abc import Mapping

    from staplecfg.model.directive import Directive
    from staplecfg.model.filesystem import Filesystem

UNREADABLE = "include-unreadable"
NOT_UNDERSTOOD = "file-not-understood"
CYCLE = "include-cycle"


@dataclass(frozen=True, slots=True)
class Sources:
    """The files by resolved path, and where each include directive leads.

    `targets` is keyed by the resolved file an include stands in and the byte it
    begins at; files that cannot be read are left out of it.
    """

    files: Mapping[PurePosixPath, SourceFile]
    targets: Mapping[tuple[PurePosixPath, int], tuple[PurePosixPath, ...]]
    patterns: tuple[str, ...]
    findings: tuple[Finding, ...]


def read_sources(files: Filesystem, main: PurePosixPath, *, force: bool) -> Sources:
    """Read `main` and everything it includes, at whatever depth and in whatever block.

    `force` lifts the refusal of generated files. Raises `Unreadable` or
    `NotUnderstood` only for `main`; other trouble becomes a finding, and a
    refusal of the file that makes it.
    """
    reader = _Reader(files, main, force=force)
    reader.read(main, None)
    while reader.pending:
        reader.follow(reader.pending.pop(0))
    return Sources(
        files={real: reader.source(real) for real in reader.texts},
        targets=reader.targets,
        patterns=tuple(reader.patterns),
        findings=(*reader.findings, *_cycles(reader)),
    )


@dataclass(frozen=True, slots=True)
class _Text:
    path: PurePosixPath
    data: bytes
    directives: tuple[Directive, ...]
    refusal: Finding | None


class _Reader:
    """What has been read so far; `pending` are the files whose includes have not been followed."""

    def __init__(self, files: Filesystem, main: PurePosixPath, *, force: bool) -> None:
        self.files = files
        self.main = main
        self.force = force
        self.texts: dict[PurePosixPath, _Text] = {}
        self.included_by: dict[PurePosixPath, list[Location]] = {}
        self.targets: dict[tuple[PurePosixPath, int], tuple[PurePosixPath, ...]] = {}
        self.includes: dict[PurePosixPath, list[Directive]] = {}
        self.patterns: dict[str, None] = {}
        self.findings: list[Finding] = []
        self.pending: list[PurePosixPath] = []

    def source(self, real: PurePosixPath) -> SourceFile:
        """Return what was read of the resolved path `real`."""
        text = self.texts[real]
        by = tuple(self.included_by.get(real, ()))
        return SourceFile(text.path, real, text.data, text.directives, text.refusal, by)

    def read(self, path: PurePosixPath, by: Location | None) -> PurePosixPath:
        """Read `path` unless some name of it was; return its resolved path."""
        real = self.files.resolve(path)
        if real not in self.texts:
            self.texts[real] = self._text(path, real, required=by is None)
            self.pending.append(real)
        if by is not None:
            self.included_by.setdefault(real, []).append(by)
        return real

    def follow(self, real: PurePosixPath) -> None:
        """Read what the file `real` includes."""
        text = self.texts[real]
        self.includes[real] = [each for each in walk(text.directives) if each.name == "include"]
        for include in self.includes[real]:
            at = Location(text.path, include.line)
            if len(include.args) != 1 or include.block is not None:
                self._report(UNREADABLE, at, "`include` takes exactly one path", "name one path")
                continue
            key = (real, include.span.start)
            self.targets[key] = tuple(dict.fromkeys(self._included(include.args[0], at)))

    def _included(self, wanted: str, at: Location) -> list[PurePosixPath]:
        # Relative to the main file's directory, wherever the directive stands.
        pattern = str(self.main.parent / wanted)
        self.patterns[pattern] = None
        found: list[PurePosixPath] = []
        try:
            paths = expand(self.files, pattern) if is_pattern(pattern) else [PurePosixPath(pattern)]
        except Unreadable as error:
            self._trouble(wanted, at, error)
            return found
        for path in paths:
            try:
                found.append(self.read(path, at))
            except Unreadable as error:
                self._trouble(str(path), at, error)
        return found

    def _text(self, path: PurePosixPath, real: PurePosixPath, *, required: bool) -> _Text:
        data = self.files.read(path)
        try:
            directives = scan(data, path)
        except NotUnderstood as error:
            if required:
                raise
            at = error.at or Location(path)
            refusal = self._report(NOT_UNDERSTOOD, at, error.problem, error.hint)
            return _Text(path, data, (), refusal)
        return _Text(
            path, data, directives, None if self.force else generated(path, real, data, directives)
        )

    def _trouble(self, wanted: str, at: Location, error: StaplecfgError) -> None:
        self._report(
            UNREADABLE,
            at,
            f"includes {wanted}, which cannot be read: {error.problem}",
            error.hint or "nginx will not start; put the file there, or take the include out",
        )

    def _report(self, rule: str, at: Location, problem: str, hint: str | None) -> Finding:
        finding = Finding(rule, Severity.ERROR, at, problem, hint)
        self.findings.append(finding)
        return finding


def _cycles(reader: _Reader) -> list[Finding]:
    """Return a finding for every include directive that leads back to a file it is read from."""
    found: list[Finding] = []
    done: set[PurePosixPath] = set()
    for first in reader.texts:
        trail: dict[PurePosixPath, None] = {first: None}
        ahead = [iter(_edges(reader, first))] if first not in done else []
        while ahead:
            step = next(ahead[-1], None)
            if step is None:
                ahead.pop()
                done.add(trail.popitem()[0])
            elif step[0] in trail:
                found.append(_cycle(*step))
            elif step[0] not in done:
                trail[step[0]] = None
                ahead.append(iter(_edges(reader, step[0])))
    return found


def _edges(reader: _Reader, real: PurePosixPath) -> list[tuple[PurePosixPath, Location]]:
    path = reader.texts[real].path
    return [
        (target, Location(path, include.line))
        for include in reader.includes[real]
        for target in reader.targets.get((real, include.span.start), ())
    ]


def _cycle(target: PurePosixPath, at: Location) -> Finding:
    return Finding(
        CYCLE,
        Severity.ERROR,
        at,
        f"includes {target}, from which this line itself is read",
        "nginx would read in circles and not start; take this include out",
    )
