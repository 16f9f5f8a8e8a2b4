"""Sites, files and what stands for the whole server, until they agree.

A site whose file cannot be edited gets nothing; what no site is left to need is
not made; and where that cannot be made, no site may be told to use it. Each
round leaves out more, so it ends.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from staplecfg.model.change import Change
from staplecfg.model.plan import Decision
from staplecfg.planning.choose import LeftAlone
from staplecfg.planning.main_file import ordered, with_main
from staplecfg.planning.outcome import lines_in, troubled
from staplecfg.planning.prove import rewrite
from staplecfg.planning.together import together

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import PurePosixPath
    from typing import TypeAlias

    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding
    from staplecfg.model.site import Site
    from staplecfg.planning.patch import Patch
    from staplecfg.planning.together import Together
    from staplecfg.planning.ways import Ways
    from staplecfg.servers.interface import Delivery, Server, Words

    Choices: TypeAlias = "Sequence[Merged | LeftAlone]"


@dataclass(frozen=True, slots=True)
class Merged:
    """A site whose block is to become what `patch` says, and what it is then to hold."""

    site: Site
    delivery: Delivery
    wanted: tuple[Words, ...]
    patch: Patch


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a file is not edited, and what was to change in it."""

    finding: Finding
    patches: tuple[Patch, ...]


@dataclass(frozen=True, slots=True)
class Settled:
    """What is left of the choices; `edits` of files that are there, in the order to make them."""

    choices: tuple[Merged | LeftAlone, ...]
    edits: tuple[Change, ...]
    refused: Mapping[PurePosixPath, Refused]
    barred: Mapping[str, Finding]
    shared: Together


def settled(choices: Choices, facts: Facts, server: Server, ways: Ways, *, lost: bool) -> Settled:
    """Return what is left of `choices`, and the proved changes that make it so."""
    barred: dict[str, Finding] = {}
    refused: dict[PurePosixPath, Refused] = {}
    proved: dict[PurePosixPath, tuple[tuple[Patch, ...], Change]] = {}
    all_known = not troubled(facts)
    while True:
        before = (len(barred), len(refused))
        left = tuple(_left(each, barred, refused) for each in choices)
        users = _users(left, facts, ways)
        shared = together(users, facts, server, ways, lost=lost, all_known=all_known)
        barred |= shared.barred
        if len(barred) > before[0]:
            continue
        wanted = with_main(_by_file(left), shared.patch)
        for file, patches in wanted.items():
            if file in refused or (file in proved and proved[file][0] == patches):
                continue
            result = rewrite(facts.configuration.files[file], patches, server.dialect)
            if isinstance(result, Change):
                proved[file] = (patches, result)
                continue
            refused[file] = Refused(result, patches)
            if shared.patch is not None and file == shared.patch.file:
                barred |= dict.fromkeys(shared.named, result)
        if (len(barred), len(refused)) == before:
            edits = [proved[file][1] for file in wanted if file in proved]
            return Settled(left, ordered(edits, shared.patch), refused, barred, shared)


def _left(
    choice: Merged | LeftAlone,
    barred: Mapping[str, Finding],
    refused: Mapping[PurePosixPath, Refused],
) -> Merged | LeftAlone:
    if isinstance(choice, LeftAlone) or choice.patch.empty:
        return choice
    if choice.site.file in refused:
        why = refused[choice.site.file].finding
    elif choice.delivery.name in barred:
        why = barred[choice.delivery.name]
    else:
        return choice
    return LeftAlone(choice.site, Decision.REFUSED, why.problem)


def _users(choices: Choices, facts: Facts, ways: Ways) -> Mapping[str, Sequence[Site]]:
    """Return the sites that have lines of ours afterwards, by delivery."""
    found: dict[str, list[Site]] = {}
    for each in choices:
        if isinstance(each, Merged):
            found.setdefault(each.delivery.name, []).append(each.site)
            continue
        for line in lines_in(each.site, facts, ways):
            found.setdefault(line.delivery.name, []).append(each.site)
    return found


def _by_file(choices: Choices) -> dict[PurePosixPath, tuple[Patch, ...]]:
    found: dict[PurePosixPath, dict[object, Patch]] = {}
    for each in choices:
        if isinstance(each, Merged) and not each.patch.empty:
            block = each.site.block
            found.setdefault(each.site.file, {})[block.name, block.span] = each.patch
    return {file: tuple(patches.values()) for file, patches in found.items()}
