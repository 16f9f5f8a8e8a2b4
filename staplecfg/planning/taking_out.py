"""What comes out of each block, by the record, or by the lines themselves where it was lost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from staplecfg.checks.subjects import selected
from staplecfg.model.errors import NotUnderstood
from staplecfg.planning import remembered, render
from staplecfg.planning.lines import our_blocks
from staplecfg.planning.patch import Patch, children

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import PurePosixPath

    from staplecfg.model.directive import Directive
    from staplecfg.model.facts import Facts, Inserted, Replaced
    from staplecfg.model.site import Site
    from staplecfg.model.source import Span
    from staplecfg.planning.ways import Ways
    from staplecfg.servers.interface import Delivery, Server, Words


@dataclass(frozen=True, slots=True)
class Taken:
    """What comes out of one block, with the memories that are then spent."""

    patch: Patch
    inserted: Inserted | None
    replaced: tuple[Replaced, ...]


def taken_out(facts: Facts, server: Server, ways: Ways, *, lost: bool) -> Iterator[Taken]:
    """Yield what comes out, a block at a time; each memory is spent once.

    `lost` says that there is no record at all. One that is there and does not
    know of a block says that its lines are somebody else's.
    """
    sites = site_places(facts)
    everywhere = held(facts, ways)
    entries = remembered.entries(everywhere, facts.record)
    replaced = list(facts.record.replaced)
    for each in everywhere:
        entry = entries.get((each.file, each.block.span))
        site = sites.get((each.file, each.block.span))
        if not wanted(site, facts):
            continue
        back = _given_back(each, replaced)
        if entry is not None:
            ours = _remembered(each.block, entry)
        else:
            ours = told_by_lines(site, each.block, facts, server, ways) if lost else ()
        restored = {child.span for child, _ in back}
        patch = Patch(
            each.file,
            each.block,
            give_back=tuple((child, memory.text) for child, memory in back),
            drop=tuple(child for child in ours if child.span not in restored),
        )
        if not patch.empty:
            yield Taken(patch, entry, tuple(memory for _, memory in back))


def held(facts: Facts, ways: Ways) -> list[remembered.Held]:
    """Return every block that has something of ours, whether it is to be cleared or not."""
    return [
        remembered.Held(file, block, keys[0], keys) for file, block, keys in blocks(facts, ways)
    ]


def site_places(facts: Facts) -> Mapping[tuple[PurePosixPath, Span], Site]:
    """Return the sites by where their blocks stand."""
    return {(site.file, site.block.span): site for site in facts.configuration.sites}


def blocks(facts: Facts, ways: Ways) -> Iterator[tuple[PurePosixPath, Directive, tuple[str, ...]]]:
    """Yield the blocks with lines of ours, then those where only the record knows of any."""
    seen = set()
    sites = site_places(facts)
    for each in our_blocks(facts.configuration, ways, facts.settings.state_dir):
        place = (each.file, each.block.span)
        seen.add(place)
        # A line that tells no key, in a block that is no site any more, may be of any.
        own = ways.key(sites[place]) if place in sites else ""
        yield each.file, each.block, tuple(dict.fromkeys(key or own for key in each.keys))
    remembered_keys = {(each.file, each.key) for each in facts.record.inserted}
    for place, site in sites.items():
        key = ways.key(site)
        if place not in seen and (site.file, key) in remembered_keys:
            yield site.file, site.block, (key,)


def wanted(site: Site | None, facts: Facts) -> bool:
    """Say whether the block of `site`, or of no site, is to be cleared."""
    if site is not None:
        return selected(site, facts.settings)
    # A block that speaks no TLS any more has no name that a pattern could match.
    return not facts.settings.sites


def _given_back(
    block: remembered.Held, replaced: list[Replaced]
) -> list[tuple[Directive, Replaced]]:
    """Return what goes back into the place of which directive, and take it off `replaced`."""
    found: list[tuple[Directive, Replaced]] = []
    for child in children(block.block):
        memory = next(
            (
                each
                for each in replaced
                if each.file == block.file and each.key in block.keys and each.by == child.words
            ),
            None,
        )
        if memory is not None:
            replaced.remove(memory)
            found.append((child, memory))
    return found


def _remembered(block: Directive, entry: Inserted) -> tuple[Directive, ...]:
    return tuple(child for child in children(block) if child.words in entry.words)


def told_by_lines(
    site: Site | None,
    block: Directive,
    facts: Facts,
    server: Server,
    ways: Ways,
    *,
    besides: Delivery | None = None,
) -> tuple[Directive, ...]:
    """Return the lines only we write in `block`, with the template's words directly before each.

    Not those of the delivery `besides`.
    """
    inside = children(block)
    found: list[Directive] = []
    for index, child in enumerate(inside):
        owner = ways.owner(child.words, facts.settings.state_dir)
        if owner is None or owner[0] == besides:
            continue
        template = _template(site, facts, server, owner[0])
        before = index
        while before and inside[before - 1].words in template and inside[before - 1] not in found:
            before -= 1
        found += inside[before : index + 1]
    return tuple(found)


def _template(
    site: Site | None, facts: Facts, server: Server, delivery: Delivery
) -> tuple[Words, ...]:
    """Return the template's words; none where it cannot be rendered: then the line alone goes."""
    if site is None:
        return ()
    name = f"{server.name}/{delivery.name}/site.conf.j2"
    variables = delivery.variables(site, facts.settings.state_dir)
    try:
        return render.words(facts.templates, name, variables, server.dialect)
    except NotUnderstood:
        return ()
