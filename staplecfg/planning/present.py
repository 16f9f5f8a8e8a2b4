"""Goal PRESENT: every site that can staple has the lines for it; goal STATE_ONLY: none changes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from staplecfg.model.change import Change
from staplecfg.model.facts import Record
from staplecfg.model.finding import Finding
from staplecfg.model.plan import Decision, SitePlan
from staplecfg.model.source import Location
from staplecfg.planning import remembered, render, state, taking_out, trusted
from staplecfg.planning.choose import Chosen, LeftAlone, choose
from staplecfg.planning.merge import Wanted, merge
from staplecfg.planning.moved import moved
from staplecfg.planning.outcome import (
    Outcome,
    collisions,
    delivery_of,
    fingerprint,
    keys_in_use,
    lines_in,
    strangers,
    taken_beside,
    uses,
)
from staplecfg.planning.patch import children
from staplecfg.planning.prove import rewrite
from staplecfg.planning.state import unanswered
from staplecfg.planning.template_syntax import quoted
from staplecfg.planning.ways import Use

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import PurePosixPath

    from staplecfg.model.directive import Directive
    from staplecfg.model.facts import Facts, Inserted
    from staplecfg.model.site import Site, SourceFile
    from staplecfg.planning.lines import Line
    from staplecfg.planning.patch import Patch
    from staplecfg.planning.ways import Ways
    from staplecfg.servers.interface import Delivery, Server, Words


@dataclass(frozen=True, slots=True)
class Merged:
    """A site whose block is to become what `patch` says, and what it is then to hold."""

    site: Site
    delivery: Delivery
    wanted: tuple[Words, ...]
    patch: Patch


def present(facts: Facts, server: Server, ways: Ways, *, veto: str | None) -> Outcome:
    """Return what it takes for every chosen site to have its lines.

    `veto` is why no file may be edited at all; sites that need an edit are then
    refused with it.
    """
    held = {_place(site): _held(site, facts, ways) for site in facts.configuration.sites}
    known = remembered.entries(held.values(), facts.record)
    choices = [
        _merged(site, facts, server, ways, known.get(_place(site)))
        for site in facts.configuration.sites
    ]
    choices = [_vetoed(each, veto) for each in choices]
    choices = _undisputed(choices)
    changes: list[Change] = []
    findings: list[Finding] = []
    refused: dict[PurePosixPath, Finding] = {}
    for file, patches in _by_file(choices).items():
        result = rewrite(facts.configuration.files[file], patches, server.dialect)
        if isinstance(result, Change):
            changes.append(result)
        else:
            refused[file] = result
            findings += _to_paste(result, patches, facts.configuration.files[file])
    choices = [_refused(each, refused) for each in choices]
    findings += [each.finding for each in choices if isinstance(each, LeftAlone) and each.finding]
    record = _remembered(choices, held, facts, ways)
    return _outcome(choices, changes, findings, record, facts, ways)


def untouched(facts: Facts, ways: Ways) -> Outcome:
    """Return what is in use as it stands, for goal STATE_ONLY."""
    lines = [(site, lines_in(site, facts, ways)) for site in facts.configuration.sites]
    findings = [each for site, found in lines for each in strangers(site, found)]
    used = [(site, use) for site, found in lines for use in uses(found)]
    keys = keys_in_use(used, facts)
    findings += unanswered(keys, facts)
    sites = tuple(_as_it_stands(site, found, facts) for site, found in lines)
    taken = taken_beside(used, facts.settings.state_dir)
    return Outcome((), tuple(findings), sites, keys, facts.record, taken)


def _merged(
    site: Site, facts: Facts, server: Server, ways: Ways, known: Inserted | None
) -> Merged | LeftAlone:
    delivery = delivery_of(site, facts, ways)
    choice = choose(site, facts, delivery)
    if not isinstance(choice, Chosen):
        return choice
    state_dir = facts.settings.state_dir
    template = f"{server.name}/{delivery.name}/site.conf.j2"
    named = trusted.named(site, choice.chains, delivery, facts)
    variables = {
        **delivery.variables(site, state_dir),
        "trusted": None if named is None else str(named),
    }
    words = render.words(facts.templates, template, variables, server.dialect)
    wanted = Wanted(
        words,
        state.claimed(delivery.key(site), facts, delivery, server.dialect),
        frozenset(facts.settings.replace if facts.settings.sites else ()),
        lines_in(site, facts, ways),
        _outdated(site, words, delivery, ways, facts, known),
    )
    patch = merge(site, wanted, delivery, state_dir)
    if isinstance(patch, Finding):
        return LeftAlone(site, Decision.REFUSED, patch.problem, patch)
    return Merged(site, delivery, words, patch)


def _outdated(
    site: Site,
    wanted: Sequence[Words],
    delivery: Delivery,
    ways: Ways,
    facts: Facts,
    known: Inserted | None,
) -> tuple[Directive, ...]:
    """Return what we put into the block for another delivery, or for another responder of ours.

    The record tells; where there is none at all, lines that can only be ours do.
    A line of the same delivery that names other certificates is the merge's business.
    """
    lost = facts.record == Record()
    found: list[Directive] = []
    for child in children(site.block):
        owner = ways.owner(child.words, facts.settings.state_dir)
        if child.words in wanted or (owner is not None and owner[0] == delivery):
            continue
        ours = owner is not None if lost else known is not None and child.words in known.words
        if ours:
            found.append(child)
    return tuple(found)


def _vetoed(choice: Merged | LeftAlone, veto: str | None) -> Merged | LeftAlone:
    if veto is None or isinstance(choice, LeftAlone) or choice.patch.empty:
        return choice
    return LeftAlone(choice.site, Decision.REFUSED, veto)


def _undisputed(choices: Sequence[Merged | LeftAlone]) -> list[Merged | LeftAlone]:
    """Refuse a block that is read in two places which need different edits."""
    first: dict[object, Merged] = {}
    disputed: set[object] = set()
    for each in choices:
        if isinstance(each, Merged):
            known = first.setdefault(_place(each.site), each)
            if known.patch != each.patch:
                disputed.add(_place(each.site))
    reason = "the block is read in several places, which need different lines"
    return [
        LeftAlone(each.site, Decision.REFUSED, reason) if _place(each.site) in disputed else each
        for each in choices
    ]


def _by_file(choices: Sequence[Merged | LeftAlone]) -> dict[PurePosixPath, list[Patch]]:
    found: dict[PurePosixPath, dict[object, Patch]] = {}
    for each in choices:
        if isinstance(each, Merged) and not each.patch.empty:
            found.setdefault(each.site.file, {})[_place(each.site)] = each.patch
    return {file: list(patches.values()) for file, patches in found.items()}


def _to_paste(finding: Finding, patches: Sequence[Patch], source: SourceFile) -> Iterator[Finding]:
    """Yield `finding` for each block, with the lines that its reader can put in elsewhere."""
    for patch in patches:
        words = (*patch.insert, *(wanted for _, wanted in patch.swap))
        text = " ".join(" ".join(map(quoted, each)) + ";" for each in words)
        hint = f"the lines are: {text}"
        yield replace(
            finding,
            location=Location(source.path, patch.block.line),
            hint=f"{finding.hint}; {hint}" if finding.hint else hint,
        )


def _refused(
    choice: Merged | LeftAlone, refused: dict[PurePosixPath, Finding]
) -> Merged | LeftAlone:
    if isinstance(choice, LeftAlone) or choice.patch.empty or choice.site.file not in refused:
        return choice
    return LeftAlone(choice.site, Decision.REFUSED, refused[choice.site.file].problem)


def _outcome(
    choices: Sequence[Merged | LeftAlone],
    changes: Sequence[Change],
    findings: list[Finding],
    record: Record,
    facts: Facts,
    ways: Ways,
) -> Outcome:
    for each in choices:
        if isinstance(each, LeftAlone):
            findings += strangers(each.site, lines_in(each.site, facts, ways))
    used = list(_uses(choices, facts, ways))
    findings += collisions(used, facts)
    keys = keys_in_use(used, facts)
    findings += unanswered(keys, facts)
    alone = [each for each in choices if isinstance(each, LeftAlone)]
    taken = taken_beside(_uses(alone, facts, ways), facts.settings.state_dir)
    sites = tuple(_site_plan(each, facts, ways) for each in choices)
    return Outcome(tuple(changes), tuple(findings), sites, keys, record, taken)


def _remembered(
    choices: Sequence[Merged | LeftAlone],
    held: Mapping[object, remembered.Held],
    facts: Facts,
    ways: Ways,
) -> Record:
    if all(isinstance(each, LeftAlone) or each.patch.empty for each in choices):
        return facts.record
    record = moved(taking_out.held(facts, ways), facts)
    known = remembered.entries(held.values(), record)
    done: set[object] = set()
    for each in choices:
        place = _place(each.site)
        if isinstance(each, LeftAlone) or each.patch.empty or place in done:
            continue
        done.add(place)
        rewritten = remembered.Rewritten(
            held[place],
            facts.configuration.files[each.site.file].data,
            each.wanted,
            known.get(place),
            partial(each.delivery.owned, state_dir=facts.settings.state_dir),
        )
        record = remembered.configured(record, each.patch, rewritten)
    return record


def _held(site: Site, facts: Facts, ways: Ways) -> remembered.Held:
    keys = tuple(line.key for line in lines_in(site, facts, ways) if line.own)
    return remembered.Held(site.file, site.block, ways.key(site), keys)


def _uses(
    choices: Sequence[Merged | LeftAlone], facts: Facts, ways: Ways
) -> Iterator[tuple[Site, Use]]:
    for each in choices:
        if isinstance(each, LeftAlone):
            yield from ((each.site, use) for use in uses(lines_in(each.site, facts, ways)))
        elif each.delivery.from_store:
            yield each.site, Use(each.delivery, each.delivery.key(each.site))


def _site_plan(choice: Merged | LeftAlone, facts: Facts, ways: Ways) -> SitePlan:
    leaf = fingerprint(choice.site, facts)
    if isinstance(choice, LeftAlone):
        name = delivery_of(choice.site, facts, ways).name
        keys = [line.key for line in lines_in(choice.site, facts, ways)]
        key = keys[0] if keys else None
        return SitePlan(choice.site, choice.decision, name, key, leaf, choice.reason)
    delivery = choice.delivery
    key = delivery.key(choice.site)
    return SitePlan(choice.site, Decision.CONFIGURED, delivery.name, key, leaf)


def _as_it_stands(site: Site, lines: Sequence[Line], facts: Facts) -> SitePlan:
    if not lines:
        return SitePlan(site, Decision.SKIPPED, reason="not configured by staplecfg")
    first, leaf = lines[0], fingerprint(site, facts)
    return SitePlan(site, Decision.CONFIGURED, first.delivery.name, first.key, leaf)


def _place(site: Site) -> object:
    return site.file, site.block.span
