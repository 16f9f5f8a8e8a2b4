"""What is to change in one block, before it is bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from staplecfg.model.edit import Edit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import PurePosixPath

    from staplecfg.model.directive import Directive
    from staplecfg.servers.interface import Dialect, Words


@dataclass(frozen=True, slots=True)
class Patch:
    """The change of one block of `file`; a directive of the block is in one list at most.

    `insert` is new, `swap` puts words in the place of a directive, `give_back`
    puts back the bytes that stood there before, `drop` takes out.
    """

    file: PurePosixPath
    block: Directive
    insert: tuple[Words, ...] = ()
    swap: tuple[tuple[Directive, Words], ...] = ()
    give_back: tuple[tuple[Directive, bytes], ...] = ()
    drop: tuple[Directive, ...] = ()

    @property
    def empty(self) -> bool:
        """Say whether nothing is to change."""
        return not (self.insert or self.swap or self.give_back or self.drop)


def edits(data: bytes, patch: Patch, dialect: Dialect) -> Iterator[Edit]:
    """Yield the edits that make `patch` in `data`."""
    if patch.insert:
        yield from dialect.insert(data, patch.block, patch.insert)
    for present, wanted in patch.swap:
        yield dialect.replace(data, present, wanted)
    for present, text in patch.give_back:
        yield Edit(present.span, text)
    if patch.drop:
        yield from dialect.take_out(data, patch.drop)


def children(block: Directive) -> tuple[Directive, ...]:
    """Return what stands directly in `block`."""
    return block.block.children if block.block is not None else ()
