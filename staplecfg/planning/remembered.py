"""Which of the remembered insertions a block is about, and what is to be remembered next."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from staplecfg.model.facts import Inserted, Record, Replaced
from staplecfg.planning.patch import children

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import PurePosixPath

    from staplecfg.model.directive import Directive
    from staplecfg.planning.patch import Patch
    from staplecfg.servers.interface import Words


@dataclass(frozen=True, slots=True)
class Held:
    """A block, and the keys of the lines of ours that stand in it; `key` is its own."""

    file: PurePosixPath
    block: Directive
    key: str
    keys: tuple[str, ...]


def entries(blocks: Iterable[Held], record: Record) -> dict[object, Inserted]:
    """Return the entry of each block that has one, by file and span; none is given twice.

    Blocks that hold a line of ours choose first, before all those whose lines tell
    their key. Of the others, one may still hold the rest of what was put in:
    somebody took out our line alone.
    """
    unclaimed: dict[tuple[PurePosixPath, str], list[Inserted]] = {}
    for each in record.inserted:
        unclaimed.setdefault((each.file, each.key), []).append(each)
    found: dict[object, Inserted] = {}
    for held in sorted(blocks, key=lambda held: (not held.keys, "" in held.keys)):
        keys = held.keys or (held.key,)
        # A line that tells no key may be of any site of its file.
        may_be = [
            each
            for (file, key), inserted in unclaimed.items()
            if file == held.file and (key in keys or "" in keys)
            for each in inserted
        ]
        known = entry(held, may_be)
        if known is not None:
            unclaimed[held.file, known.key].remove(known)
            found[held.file, held.block.span] = known
    return found


def entry(held: Held, inserted: Iterable[Inserted]) -> Inserted | None:
    """Return what was put into the block of `held`, among the entries `inserted` of its keys.

    Two blocks of a file may have one key and have been given different lines,
    because one of them had some already. Ours were put in one after the other:
    the longest entry that stands so in the block is the block's.
    """
    standing = [child.words for child in children(held.block) if child.block is None]
    known = sorted(inserted, key=lambda each: -len(each.words))
    together = (each for each in known if _run(each.words, standing))
    scattered = (each for each in known if set(each.words) & set(standing))
    return next(together, None) or next(scattered, None)


def configured(
    record: Record,
    patch: Patch,
    rewritten: Rewritten,
) -> Record:
    """Return `record` once `patch` is made."""
    known, key = rewritten.known, rewritten.held.key
    ours = {present.span for present, _ in patch.swap if rewritten.was_ours(present)}
    put_in = {
        *(known.words if known else ()),
        *patch.insert,
        *(words for present, words in patch.swap if present.span in ours),
    }
    gone = {present.words for present in (*patch.drop, *(present for present, _ in patch.swap))}
    # A template that says less than it did leaves what it said before in the block.
    earlier = tuple(
        each
        for each in (known.words if known else ())
        if each not in rewritten.wanted and each not in gone
    )
    words = (*earlier, *(each for each in rewritten.wanted if each in put_in))
    keys = (*rewritten.held.keys, key)
    replaced = [_moved(each, patch, keys, key) for each in record.replaced]
    replaced += [
        Replaced(patch.file, key, rewritten.data[present.span.start : present.span.end], by)
        for present, by in patch.swap
        if present.span not in ours and not _by_ours(present, patch, record, keys)
    ]
    inserted = [each for each in record.inserted if each is not known]
    inserted += [Inserted(patch.file, key, words)] if words else []
    return replace(record, inserted=tuple(inserted), replaced=tuple(replaced))


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A block that gets what is `wanted`: what it held, its file's bytes, what was `known`."""

    held: Held
    data: bytes
    wanted: Sequence[Words]
    known: Inserted | None
    owned: Callable[[Words], str | None]

    def was_ours(self, present: Directive) -> bool:
        """Say whether `present`, which is swapped, was put in by us."""
        return self.owned(present.words) is not None or (
            self.known is not None and present.words in self.known.words
        )


def _by_ours(present: Directive, patch: Patch, record: Record, keys: Sequence[str]) -> bool:
    """Say whether `present` itself stands in the place of something replaced before."""
    return any(
        each.file == patch.file and each.key in keys and each.by == present.words
        for each in record.replaced
    )


def _moved(each: Replaced, patch: Patch, old: Sequence[str], key: str) -> Replaced:
    """Return `each` with what has taken the place of its successor, if this patch does."""
    if each.file != patch.file or each.key not in old:
        return each
    for present, words in patch.swap:
        if present.words == each.by:
            return replace(each, key=key, by=words)
    return replace(each, key=key)


def _run(words: Sequence[Words], standing: Sequence[Words]) -> bool:
    length = len(words)
    return any(
        list(words) == list(standing[start : start + length])
        for start in range(len(standing) - length + 1)
    )
