"""What was put into one file and stands in another now: renamed, or the block moved by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from staplecfg.planning.patch import children
from staplecfg.planning.remembered import entries, entry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from staplecfg.model.facts import Facts, Inserted, Record, Replaced
    from staplecfg.planning.remembered import Held


def moved(blocks: Sequence[Held], facts: Facts) -> Record:
    """Return the record of `facts` with each memory under the file its lines stand in now.

    Only what no block of its own file accounts for can have moved, and only to a
    block that holds our line and that nothing is remembered of. A file that is
    there and that the server does not read still holds its lines itself.
    """
    record = facts.record
    at_home = entries(blocks, record)
    accounted = {id(each) for each in at_home.values()}
    homeless: dict[str, list[Inserted]] = {}
    for each in record.inserted:
        if id(each) not in accounted and not _unread(each, facts):
            homeless.setdefault(each.key, []).append(each)
    inserted = {id(each): each for each in record.inserted}
    replaced = list(record.replaced)
    # A line that tells no key may be of any site; what is sure of its own comes first.
    for held in sorted(blocks, key=lambda held: "" in held.keys):
        if (held.file, held.block.span) in at_home:
            continue
        keys = [*homeless] if "" in held.keys else held.keys
        known = entry(held, [each for key in keys for each in homeless.get(key, ())])
        if known is not None:
            homeless[known.key].remove(known)
            inserted[id(known)] = replace(known, file=held.file)
            replaced = _follow(replaced, known, held)
    return replace(record, inserted=tuple(inserted.values()), replaced=tuple(replaced))


def _unread(each: Inserted, facts: Facts) -> bool:
    return each.file not in facts.configuration.files and facts.files.exists(each.file)


def _follow(replaced: Sequence[Replaced], known: Inserted, held: Held) -> list[Replaced]:
    """Return `replaced` with what belongs to the moved entry `known` under the file of `held`."""
    standing = [child.words for child in children(held.block)]
    found: list[Replaced] = []
    for each in replaced:
        belongs = each.file == known.file and each.key == known.key and each.by in standing
        if belongs:
            standing.remove(each.by)
        found.append(replace(each, file=held.file) if belongs else each)
    return found
