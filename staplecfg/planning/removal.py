"""Goal ABSENT: what staplecfg put in is taken out, and no more; the exact bytes back.

The record says what was ours. Where it was lost, only the include line can be
told with certainty, and what stands directly before it in the words of the
template. A directive of the administrator's own is never taken.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from staplecfg.checks.subjects import selected
from staplecfg.model.change import Change
from staplecfg.model.finding import Finding, Severity
from staplecfg.model.plan import Decision, SitePlan
from staplecfg.model.source import Location
from staplecfg.planning import targeted
from staplecfg.planning.lines import our_blocks, switched
from staplecfg.planning.main_file import ordered, with_main
from staplecfg.planning.moved import moved
from staplecfg.planning.outcome import (
    Outcome,
    fingerprint,
    keys_in_use,
    lines_in,
    taken_beside,
    troubled,
    uses,
)
from staplecfg.planning.patch import children
from staplecfg.planning.prove import rewrite, unsafe
from staplecfg.planning.taking_out import Taken, blocks, held, site_places, taken_out, wanted
from staplecfg.planning.together import as_it_is, together
from staplecfg.planning.ways import Use

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from pathlib import PurePosixPath

    from staplecfg.model.facts import Facts, Inserted, Record, Replaced
    from staplecfg.model.site import Site
    from staplecfg.model.source import Span
    from staplecfg.planning.lines import Line
    from staplecfg.planning.together import Together
    from staplecfg.planning.ways import Ways
    from staplecfg.servers.interface import Server

NOT_READ = "lines-in-a-file-not-read"
LEFT = "line-left"


def absent(facts: Facts, server: Server, ways: Ways, *, lost: bool, veto: str | None) -> Outcome:
    """Return what it takes for nothing of ours to be left in the selected sites.

    A line that somebody else wrote stays, and finds nothing in state any more.
    `lost` says that the record is not to be had, so that the lines themselves
    must tell; `veto` is why no file may be edited at all.
    """
    facts = replace(facts, record=moved(held(facts, ways), facts))
    findings = list(_elsewhere(facts))
    record = facts.record
    kept: set[tuple[PurePosixPath, Span]] = set()
    all_taken = tuple(taken_out(facts, server, ways, lost=lost))
    findings += _left(facts, ways, all_taken)
    findings += _perhaps_ours(facts, ways, all_taken) if lost else ()
    proved: dict[PurePosixPath, Change] = {}
    for file, taken in _by_file(all_taken).items():
        patches = [each.patch for each in taken]
        source = facts.configuration.files[file]
        result = unsafe(source, veto) if veto else rewrite(source, patches, server.dialect)
        if isinstance(result, Change):
            proved[file] = result
            record = _forget(record, taken)
        else:
            findings.append(result)
            kept |= {(file, patch.block.span) for patch in patches}
    shared = _shared(facts, server, ways, kept, all_taken, proved, lost=lost, veto=veto)
    findings += shared.findings
    changes = (*ordered(proved.values(), shared.patch), *shared.after)
    return _outcome(changes, findings, replace(record, made=shared.made), kept, facts, ways)


def _shared(  # noqa: PLR0913 - it goes by everything that was decided before
    facts: Facts,
    server: Server,
    ways: Ways,
    kept: Collection[tuple[PurePosixPath, Span]],
    all_taken: Sequence[Taken],
    proved: dict[PurePosixPath, Change],
    *,
    lost: bool,
    veto: str | None,
) -> Together:
    """Return what goes of what stood for the whole server, the main file's edit into `proved`."""
    if veto is not None:
        return as_it_is(facts)
    users: dict[str, list[Site]] = {}
    for site in facts.configuration.sites:
        for line in _staying(site, kept, facts, ways):
            users.setdefault(line.delivery.name, []).append(site)
    known = not troubled(facts)
    shared = together(users, facts, server, ways, lost=lost, all_known=known, parting=True)
    if shared.patch is None:
        return replace(shared, before=())
    file = shared.patch.file
    source = facts.configuration.files[file]
    own = tuple(each.patch for each in all_taken if file in proved and each.patch.file == file)
    patches = with_main({file: own}, shared.patch)[file]
    result = rewrite(source, patches, server.dialect)
    if isinstance(result, Change):
        proved[file] = result
        return replace(shared, before=())
    # A file that is read by a line which stays must stay too.
    return replace(as_it_is(facts), findings=(*shared.findings, result))


def _staying(
    site: Site, kept: Collection[tuple[PurePosixPath, Span]], facts: Facts, ways: Ways
) -> Sequence[Line]:
    """Return the lines of ours that `site` keeps."""
    stays = (site.file, site.block.span) in kept or not selected(site, facts.settings)
    return lines_in(site, facts, ways) if stays else ()


def _by_file(all_taken: Iterable[Taken]) -> dict[PurePosixPath, list[Taken]]:
    found: dict[PurePosixPath, list[Taken]] = {}
    for taken in all_taken:
        found.setdefault(taken.patch.file, []).append(taken)
    return found


def _forget(record: Record, all_taken: Sequence[Taken]) -> Record:
    # By identity: two blocks may have been given the same, and one may keep it.
    spent = {id(taken.inserted) for taken in all_taken}
    spent |= {id(each) for taken in all_taken for each in taken.replaced}
    return replace(
        record,
        inserted=tuple(each for each in record.inserted if id(each) not in spent),
        replaced=tuple(each for each in record.replaced if id(each) not in spent),
    )


def _elsewhere(facts: Facts) -> Iterator[Finding]:
    others = targeted.files_of_others(facts)
    for file in dict.fromkeys(each.file for each in facts.record.inserted):
        read = file in others or file in facts.configuration.files
        if not read and facts.files.exists(file):
            yield Finding(
                NOT_READ,
                Severity.NOTE,
                Location(file),
                "staplecfg put lines into this file, and the server does not read it now;"
                " it is left as it is",
                "have the server read it again before `staplecfg remove`, or take them out by hand",
            )


def _left(facts: Facts, ways: Ways, all_taken: Sequence[Taken]) -> Iterator[Finding]:
    """Yield a finding for each line that stays where it is, and finds nothing from now on."""
    known = {
        (taken.patch.file, child.span) for taken in all_taken for child in taken.patch.drop
    } | {
        (taken.patch.file, child.span) for taken in all_taken for child, _ in taken.patch.give_back
    }
    sites = site_places(facts)
    for each in held(facts, ways):
        if not wanted(sites.get((each.file, each.block.span)), facts):
            continue
        source = facts.configuration.files[each.file]
        for child in children(each.block):
            ours = ways.owner(child.words, facts.settings.state_dir) is not None
            if ours and (each.file, child.span) not in known:
                yield Finding(
                    LEFT,
                    Severity.WARNING,
                    Location(source.path, child.line),
                    "staplecfg does not remember that it put this line in, so the block keeps it;"
                    " it finds nothing any more, and the server is left to ask responders itself",
                    "a copy, or a configuration manager's: take it out where it comes from,"
                    " with the lines that turn stapling on",
                )


def _perhaps_ours(facts: Facts, ways: Ways, all_taken: Sequence[Taken]) -> Iterator[Finding]:
    """Yield a finding for each line that stays because nobody knows any more who wrote it."""
    gone = {(each.patch.file, child.line) for each in all_taken for child in each.patch.drop}
    for site in facts.configuration.sites:
        if not selected(site, facts.settings):
            continue
        for line in switched(site, ways):
            if line.own and (site.file, line.location.line) not in gone:
                yield Finding(
                    LEFT,
                    Severity.WARNING,
                    line.location,
                    "staplecfg's record is lost, and this line does not tell whose it is; it stays",
                    "take it out by hand, if it is not yours",
                    site.title,
                )


def _outcome(
    changes: Sequence[Change],
    findings: Sequence[Finding],
    record: Record,
    kept: set[tuple[PurePosixPath, Span]],
    facts: Facts,
    ways: Ways,
) -> Outcome:
    used: list[tuple[Site, Use]] = []
    sites: list[SitePlan] = []
    for site in facts.configuration.sites:
        lines = _staying(site, kept, facts, ways)
        used += [(site, use) for use in uses(lines)]
        sites.append(_site_plan(site, lines, facts))
    keys = keys_in_use(used, facts)
    for each in our_blocks(facts.configuration, ways, facts.settings.state_dir):
        if (each.file, each.block.span) in kept:
            left = [Use(delivery, key) for delivery, key in each.found if key]
            keys |= {use: None for use in left if use not in keys}
    record = _without_the_gone(record, kept, facts, ways)
    taken = taken_beside(used, facts.settings.state_dir)
    return Outcome(tuple(changes), tuple(findings), tuple(sites), keys, record, taken)


def _without_the_gone(
    record: Record, kept: set[tuple[PurePosixPath, Span]], facts: Facts, ways: Ways
) -> Record:
    """Return `record` without what was put into blocks that are not there any more."""
    others = targeted.files_of_others(facts)
    sites = site_places(facts)
    left = {
        (file, key)
        for file, block, keys in blocks(facts, ways)
        for key in keys
        if (file, block.span) in kept or not wanted(sites.get((file, block.span)), facts)
    }

    def stays(each: Inserted | Replaced) -> bool:
        return _unread(each.file, facts, others) or (each.file, each.key) in left

    return replace(
        record,
        inserted=tuple(filter(stays, record.inserted)),
        replaced=tuple(filter(stays, record.replaced)),
    )


def _unread(file: PurePosixPath, facts: Facts, others: Collection[PurePosixPath]) -> bool:
    """Say whether `file` is there and nobody knows what stands in it."""
    source = facts.configuration.files.get(file)
    if source is None:
        return file in others or facts.files.exists(file)
    return source.refusal is not None and not source.directives


def _site_plan(site: Site, left: Sequence[Line], facts: Facts) -> SitePlan:
    leaf = fingerprint(site, facts)
    if not left:
        return SitePlan(site, Decision.SKIPPED, fingerprint=leaf, reason="nothing of ours is left")
    first = left[0]
    return SitePlan(site, Decision.CONFIGURED, first.delivery.name, first.key, leaf)
