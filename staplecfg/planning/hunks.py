"""Edits as whole lines taken out and put in, and those gathered into hunks."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

from staplecfg.model.edit import Edit, apply_edits
from staplecfg.model.source import Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

CONTEXT = 3

LINE = re.compile(rb"[^\n]*\n|[^\n]+")


@dataclass(frozen=True, slots=True)
class Piece:
    """Lines `removed`, the first of them number `start` from 0, and `added` in their place."""

    start: int
    removed: tuple[bytes, ...]
    added: tuple[bytes, ...]

    @property
    def end(self) -> int:
        """The number of the first line behind those removed."""
        return self.start + len(self.removed)


@dataclass(frozen=True, slots=True)
class Hunk:
    """Pieces near each other, with the unchanged lines around; `start` counts lines from 0.

    `lines` are old and new ones mixed, each with its mark: a blank, `-` or `+`.
    """

    old_start: int
    new_start: int
    lines: tuple[tuple[bytes, bytes], ...]

    def count(self, mark: bytes) -> int:
        """Return how many lines the old (`-`) or the new (`+`) file has here."""
        return sum(each in (b" ", mark) for each, _ in self.lines)


def split(text: bytes) -> tuple[bytes, ...]:
    """Return the lines of `text` with their line feeds; a carriage return is a byte as others."""
    return tuple(LINE.findall(text))


def pieces(before: bytes, edits: Iterable[Edit]) -> tuple[Piece, ...]:
    """Return what `edits` do to the lines of `before`."""
    starts = [0]
    for line in split(before):
        starts.append(starts[-1] + len(line))
    gathered: list[tuple[int, int, list[Edit]]] = []
    for edit in sorted(edits, key=lambda edit: edit.span):
        first, last = _touched(edit, starts)
        if gathered and first < gathered[-1][1]:
            begun, reached, together = gathered[-1]
            gathered[-1] = (begun, max(reached, last), [*together, edit])
        else:
            gathered.append((first, last, [edit]))
    made = (_piece(before, starts, first, last, edits) for first, last, edits in gathered)
    return tuple(piece for piece in made if piece.removed or piece.added)


def whole(before: bytes, after: bytes) -> tuple[Piece, ...]:
    """Return the lines in which `before` and `after` differ, as one piece."""
    piece = _trimmed(Piece(0, split(before), split(after)))
    return (piece,) if piece.removed or piece.added else ()


def hunks(before: bytes, changed: Sequence[Piece]) -> Iterator[Hunk]:
    """Yield `changed` with the lines around; two that would share such lines become one."""
    old = split(before)
    shift = 0
    for group in _groups(changed):
        start = max(0, group[0].start - CONTEXT)
        marked: list[tuple[bytes, bytes]] = []
        at = start
        for piece in group:
            marked += [(b" ", line) for line in old[at : piece.start]]
            marked += [(b"-", line) for line in piece.removed]
            marked += [(b"+", line) for line in piece.added]
            at = piece.end
        marked += [(b" ", line) for line in old[at : at + CONTEXT]]
        yield Hunk(start, start + shift, tuple(marked))
        shift += sum(len(piece.added) - len(piece.removed) for piece in group)


def _touched(edit: Edit, starts: Sequence[int]) -> tuple[int, int]:
    """Return the first line that may change and the line behind the last: rather one too many."""
    final = max(0, len(starts) - 2)
    first = min(bisect_right(starts, edit.span.start) - 1, final)
    last = min(bisect_right(starts, edit.span.end) - 1, final)
    return first, min(last + 1, len(starts) - 1)


def _piece(
    before: bytes, starts: Sequence[int], first: int, last: int, edits: Iterable[Edit]
) -> Piece:
    base = starts[first]
    touched = before[base : starts[last]]
    moved = [Edit(Span(edit.span.start - base, edit.span.end - base), edit.text) for edit in edits]
    return _trimmed(Piece(first, split(touched), split(apply_edits(touched, moved))))


def _trimmed(piece: Piece) -> Piece:
    """Return `piece` without the lines that are the same at its ends."""
    removed, added = piece.removed, piece.added
    most = min(len(removed), len(added))
    head = next((n for n in range(most) if removed[n] != added[n]), most)
    removed, added = removed[head:], added[head:]
    most -= head
    tail = next((n for n in range(most) if removed[-1 - n] != added[-1 - n]), most)
    return Piece(piece.start + head, removed[: len(removed) - tail], added[: len(added) - tail])


def _groups(changed: Sequence[Piece]) -> Iterator[list[Piece]]:
    group: list[Piece] = []
    for piece in changed:
        if group and piece.start - group[-1].end > 2 * CONTEXT:
            yield group
            group = []
        group.append(piece)
    if group:
        yield group
