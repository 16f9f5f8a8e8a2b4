"""httpd's language behind the `Dialect` protocol."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from staplecfg.servers.apache import compare, evaluate, globs, place, scan, words

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import PurePosixPath

    from staplecfg.model.directive import Directive
    from staplecfg.model.edit import Edit
    from staplecfg.model.filesystem import Filesystem
    from staplecfg.model.finding import Finding
    from staplecfg.model.installation import Installation
    from staplecfg.model.settings import Settings
    from staplecfg.model.site import Configuration
    from staplecfg.servers.interface import Dialect, Words


@dataclass(frozen=True, slots=True)
class ApacheDialect:
    """How httpd's configuration is written and read."""

    name: str = "apache"

    def parse(self, data: bytes, path: PurePosixPath) -> tuple[Directive, ...]:
        """See `Dialect.parse`."""
        return scan.scan(data, path)

    def configuration(
        self, files: Filesystem, installation: Installation, settings: Settings
    ) -> Configuration:
        """See `Dialect.configuration`."""
        return evaluate.configuration(files, installation, settings)

    def reads(self, pattern: str, path: PurePosixPath, files: Filesystem) -> bool:
        """See `Dialect.reads`."""
        return globs.reads(pattern, path, files)

    def insert(self, data: bytes, block: Directive, wanted: Sequence[Words]) -> tuple[Edit, ...]:
        """See `Dialect.insert`; `block` may be a whole file."""
        return place.insert(data, block, wanted)

    def replace(self, data: bytes, present: Directive, wanted: Words) -> Edit:
        """See `Dialect.replace`."""
        return place.replacement(data, present, wanted)

    def take_out(self, data: bytes, present: Sequence[Directive]) -> tuple[Edit, ...]:
        """See `Dialect.take_out`."""
        return place.take_out(data, present)

    def said(self, wanted: Sequence[Words]) -> str:
        """See `Dialect.said`: a directive ends with its line, so each is quoted."""
        return ", ".join(f"`{words.statement(each)}`" for each in wanted)

    def disagreement(self, data: bytes, path: PurePosixPath) -> Finding | None:
        """See `Dialect.disagreement`; raises `NotUnderstood` where `parse` does."""
        return compare.disagreement(data, path)


DIALECT: Dialect = ApacheDialect()
