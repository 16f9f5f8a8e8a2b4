"""nginx's language behind the `Dialect` protocol."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from staplecfg.model.filesystem import MemoryFilesystem
from staplecfg.servers.nginx import compare, evaluate, globs, place, scan, words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from staplecfg.model.directive import Directive
    from staplecfg.model.edit import Edit
    from staplecfg.model.filesystem import Filesystem
    from staplecfg.model.finding import Finding
    from staplecfg.model.installation import Installation
    from staplecfg.model.settings import Settings
    from staplecfg.model.site import Configuration
    from staplecfg.servers.interface import Dialect, Words


@dataclass(frozen=True, slots=True)
class NginxDialect:
    """How nginx's configuration is written and read."""

    name: str = "nginx"

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
        parts = PurePosixPath(pattern).parts
        fixed = list(itertools.takewhile(lambda part: not globs.is_pattern(part), parts))
        real = files.resolve(PurePosixPath(*fixed)).joinpath(*parts[len(fixed) :])
        return path in globs.expand(MemoryFilesystem({path: b""}), str(real))

    def insert(self, data: bytes, block: Directive, wanted: Sequence[Words]) -> tuple[Edit, ...]:
        """See `Dialect.insert`."""
        return place.insert(data, block, wanted)

    def replace(self, data: bytes, present: Directive, wanted: Words) -> Edit:  # noqa: ARG002 - the protocol hands every server the text; nginx needs only the span
        """See `Dialect.replace`."""
        return place.replacement(present, wanted)

    def take_out(self, data: bytes, present: Sequence[Directive]) -> tuple[Edit, ...]:
        """See `Dialect.take_out`."""
        return place.take_out(data, present)

    def said(self, wanted: Sequence[Words]) -> str:
        """See `Dialect.said`."""
        return " ".join(words.statement(each) for each in wanted)

    def disagreement(self, data: bytes, path: PurePosixPath) -> Finding | None:
        """See `Dialect.disagreement`; raises `NotUnderstood` where `parse` does."""
        return compare.disagreement(data, path)


DIALECT: Dialect = NginxDialect()
