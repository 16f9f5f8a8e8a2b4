"""The smallest possible change of a text: bytes put in the place of a span."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from staplecfg.model.source import Span


@dataclass(frozen=True, slots=True)
class Edit:
    """`text` in the place of `span`; an empty span inserts, an empty text deletes."""

    span: Span
    text: bytes


def apply_edits(data: bytes, edits: Iterable[Edit]) -> bytes:
    """Return `data` with `edits` made, and every other byte as it was.

    Spans refer to `data` itself, never to a half-edited copy; insertions at one
    place keep the order they are given in. Raises `ValueError` where two edits
    claim the same bytes: a bug in whoever planned them, and picking a winner
    would hide it.
    """
    pieces: list[bytes] = []
    copied = 0
    for edit in sorted(edits, key=lambda edit: edit.span):
        if edit.span.start < copied:
            raise ValueError(f"edits overlap at byte {edit.span.start}")
        pieces += data[copied : edit.span.start], edit.text
        copied = edit.span.end
    pieces.append(data[copied:])
    return b"".join(pieces)
