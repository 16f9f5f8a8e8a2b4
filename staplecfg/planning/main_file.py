"""The main file's own lines among the edits: made before those of sites, taken out after them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import PurePosixPath

    from staplecfg.model.change import Change
    from staplecfg.planning.patch import Patch


def with_main(
    patches: Mapping[PurePosixPath, tuple[Patch, ...]], main: Patch | None
) -> dict[PurePosixPath, tuple[Patch, ...]]:
    """Return `patches`, by file, with what changes at the top of the `main` file among them.

    A site may be the main file itself; what is planned for one block is one patch.
    """
    found = dict(patches)
    if main is None:
        return found
    own = found.get(main.file, ())
    top = next((each for each in own if not each.block.name), None)
    if top is None:
        found[main.file] = (*own, main)
    else:
        both = replace(top, insert=(*top.insert, *main.insert), drop=(*top.drop, *main.drop))
        found[main.file] = (*(each for each in own if each != top), both)
    return found


def ordered(edits: Iterable[Change], main: Patch | None) -> tuple[Change, ...]:
    """Return `edits` in the order to make them: what has a file read stands while it is used."""
    edits = tuple(edits)
    if main is None:
        return edits
    own = tuple(each for each in edits if each.path == main.file)
    others = tuple(each for each in edits if each.path != main.file)
    return (*own, *others) if main.insert else (*others, *own)
