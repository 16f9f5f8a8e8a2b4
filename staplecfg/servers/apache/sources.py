"""The configuration's files, each read once, whatever names lead to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from staplecfg.model.errors import NotUnderstood
from staplecfg.model.finding import Finding, Severity
from staplecfg.model.site import SourceFile
from staplecfg.model.source import Location
from staplecfg.servers.apache.lines import lines
from staplecfg.servers.apache.scan import scan

if TYPE_CHECKING:
    from pathlib import PurePosixPath

    from staplecfg.model.directive import Directive
    from staplecfg.model.filesystem import Filesystem

NOT_UNDERSTOOD = "file-not-understood"


@dataclass(frozen=True, slots=True)
class Text:
    """A file as it was read: `path` is the name that led to it, `file` the resolved one."""

    path: PurePosixPath
    file: PurePosixPath
    data: bytes
    directives: tuple[Directive, ...]
    plain: bool
    """Whether no `$` is in it, so that every line is what it seems."""
    trouble: Finding | None = None

    def at(self, directive: Directive) -> Location:
        """Return where `directive` stands."""
        return Location(self.path, directive.line)

    def opening(self, directive: Directive) -> bytes:
        """Return the line `directive` is, or opens with, continued ones joined as httpd does."""
        line = self._bytes(directive) + b"\n"
        return next((each.text for each in lines(line, self.path)), b"")

    def is_plain(self, directive: Directive) -> bool:
        """Say whether that line has no variable in it."""
        return self.plain or b"$" not in self._bytes(directive)

    def _bytes(self, directive: Directive) -> bytes:
        block = directive.block
        end = directive.span.end if block is None else block.inside.start
        return self.data[directive.span.start : end]


@dataclass(slots=True)
class Sources:
    """What has been read so far, by resolved path."""

    files: Filesystem
    texts: dict[PurePosixPath, Text] = field(default_factory=dict)
    included_by: dict[PurePosixPath, dict[Location, None]] = field(default_factory=dict)

    def main(self, path: PurePosixPath) -> Text:
        """Read the main file; raises `Unreadable` or `NotUnderstood`."""
        text = self._read(path, self.files.resolve(path))
        if text.trouble is not None:
            raise NotUnderstood(
                text.trouble.problem, at=text.trouble.location, hint=text.trouble.hint
            )
        return text

    def included(self, path: PurePosixPath, by: Location) -> Text:
        """Read the file `path`, which the directive at `by` includes; raises `Unreadable`."""
        real = self.files.resolve(path)
        text = self.texts.get(real) or self._read(path, real)
        self.included_by.setdefault(real, {})[by] = None
        return text

    def source(self, text: Text, refusal: Finding | None) -> SourceFile:
        """Return `text` for the model, with why it must not be edited, if so."""
        by = tuple(self.included_by.get(text.file, ()))
        return SourceFile(text.path, text.file, text.data, text.directives, refusal, by)

    def _read(self, path: PurePosixPath, real: PurePosixPath) -> Text:
        data = self.files.read(path)
        plain = b"$" not in data
        try:
            text = Text(path, real, data, scan(data, path), plain)
        except NotUnderstood as error:
            at = error.at or Location(path)
            trouble = Finding(NOT_UNDERSTOOD, Severity.ERROR, at, error.problem, error.hint)
            text = Text(path, real, data, (), plain, trouble)
        self.texts[real] = text
        return text
