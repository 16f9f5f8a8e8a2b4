"""Goal PRESENT: every site that can staple has the lines for it; goal STATE_ONLY: none changes."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from staplecfg.model.facts import Inserted, Record
from staplecfg.model.finding import Finding
from staplecfg.model.plan import Decision, SitePlan
from staplecfg.model.source import Location
from staplecfg.planning import macros, remembered, render, state, taking_out, trusted
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
from staplecfg.planning.settled import Merged, settled
from staplecfg.planning.state import unanswered
from staplecfg.planning.together import as_it_is
from staplecfg.planning.ways import Use

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from staplecfg.model.change import Change
    from staplecfg.model.directive import Directive
    from staplecfg.model.facts import Facts
    from staplecfg.model.site import Site, SourceFile
    from staplecfg.planning.lines import Line
    from staplecfg.planning.patch import Patch
    from staplecfg.planning.ways import Ways
    from staplecfg.servers.interface import Delivery, Dialect, Server, Words


def present(facts: Facts, server: Server, ways: Ways, *, lost: bool, veto: str | None) -> Outcome:
    """Return what it takes for every chosen site to have its lines.

    `veto` is why no file may be edited at all; sites that need an edit are then
    refused with it.
    """
    held = {_place(site): _held(site, facts, ways) for site in facts.configuration.sites}
    known = _known(held, facts, server, ways)
    choices = [
        _merged(site, facts, server, ways, known.get(_place(site)))
        for site in facts.configuration.sites
    ]
    choices = [_vetoed(each, veto) for each in choices]
    choices = macros.together_or_not(_undisputed(choices))
    made = settled(choices, facts, server, ways, lost=lost)
    shared = as_it_is(facts) if veto is not None else made.shared
    findings = [*shared.findings, *made.barred.values()]
    for file, why in made.refused.items():
        source = facts.configuration.files[file]
        findings += _to_paste(why.finding, why.patches, source, server.dialect)
    choices = [*made.choices]
    findings += macros.reached(choices)
    findings += [each.finding for each in choices if isinstance(each, LeftAlone) and each.finding]
    record = replace(_remembered(choices, held, known, facts, ways), made=shared.made)
    edits = (*shared.before, *made.edits, *shared.after) if veto is None else ()
    return _outcome(choices, edits, findings, record, facts, ways)


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

    A line of the same delivery that names other certificates is the merge's business.
    """
    found: list[Directive] = []
    for child in children(site.block):
        owner = ways.owner(child.words, facts.settings.state_dir)
        if child.words in wanted or (owner is not None and owner[0] == delivery):
            continue
        if known is not None and child.words in known.words:
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


def _to_paste(
    finding: Finding, patches: Sequence[Patch], source: SourceFile, dialect: Dialect
) -> Iterator[Finding]:
    """Yield `finding` for each block, with the lines that its reader can put in elsewhere."""
    for patch in patches:
        words = (*patch.insert, *(wanted for _, wanted in patch.swap))
        hint = f"the lines are: {dialect.said(words)}"
        yield replace(
            finding,
            location=Location(source.path, patch.block.line),
            hint=f"{finding.hint}; {hint}" if finding.hint else hint,
        )


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
    told: Mapping[object, Inserted],
    facts: Facts,
    ways: Ways,
) -> Record:
    if all(isinstance(each, LeftAlone) or each.patch.empty for each in choices):
        return facts.record
    record = moved(taking_out.held(facts, ways), facts)
    known = remembered.entries(held.values(), record) or told
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


def _known(
    held: Mapping[object, remembered.Held], facts: Facts, server: Server, ways: Ways
) -> Mapping[object, Inserted]:
    """Return what we put into each site's block, by the block's place.

    The record tells. Where there is none at all, lines of another delivery than the site
    is to have do, if they can only be ours, with the template's directly before them: some
    do harm without the one that is known. One of the same may be a configuration manager's.
    """
    if facts.record != Record():
        return remembered.entries(held.values(), facts.record)
    found: dict[object, Inserted] = {}
    for site in facts.configuration.sites:
        told = taking_out.told_by_lines(
            site, site.block, facts, server, ways, besides=delivery_of(site, facts, ways)
        )
        if told:
            words = tuple(child.words for child in told)
            found[_place(site)] = Inserted(site.file, held[_place(site)].key, words)
    return found


def _held(site: Site, facts: Facts, ways: Ways) -> remembered.Held:
    keys = tuple(line.key for line in lines_in(site, facts, ways) if line.own)
    return remembered.Held(site.file, site.block, ways.key(site), keys)


def _uses(
    choices: Sequence[Merged | LeftAlone], facts: Facts, ways: Ways
) -> Iterator[tuple[Site, Use]]:
    merged = {_place(each.site): each for each in choices if isinstance(each, Merged)}
    for each in choices:
        if isinstance(each, LeftAlone):
            yield from ((each.site, use) for use in uses(lines_in(each.site, facts, ways)))
            beside = merged.get(_place(each.site))
            if beside is not None:
                yield from ((each.site, use) for use in _shared_with(beside, each.site, facts))
        elif each.delivery.from_store:
            yield each.site, Use(each.delivery, each.delivery.key(each.site))


def _shared_with(merged: Merged, site: Site, facts: Facts) -> Iterator[Use]:
    """Yield what the lines of `merged` come to in `site`, left alone, whose block is the same."""
    delivery = merged.delivery
    for words in merged.wanted if delivery.from_store else ():
        key = delivery.owned(words, facts.settings.state_dir)
        if key is not None or (site.used_at and delivery.recorded((words,))):
            yield Use(delivery, key or delivery.key(site))


def _site_plan(choice: Merged | LeftAlone, facts: Facts, ways: Ways) -> SitePlan:
    leaf = fingerprint(choice.site, facts)
    if isinstance(choice, LeftAlone):
        name = delivery_of(choice.site, facts, ways).name
        keys = [line.key for line in lines_in(choice.site, facts, ways)]
        key = keys[0] if keys else None
        return SitePlan(choice.site, choice.decision, name, key, leaf, choice.reason)
    delivery = choice.delivery
    key = delivery.key(choice.site)
    fetched = not delivery.from_store
    return SitePlan(choice.site, Decision.CONFIGURED, delivery.name, key, leaf, fetched=fetched)


def _as_it_stands(site: Site, lines: Sequence[Line], facts: Facts) -> SitePlan:
    if not lines:
        return SitePlan(site, Decision.SKIPPED, reason="not configured by staplecfg")
    first, leaf = lines[0], fingerprint(site, facts)
    fetched = not first.delivery.from_store
    return SitePlan(
        site, Decision.CONFIGURED, first.delivery.name, first.key, leaf, fetched=fetched
    )


def _place(site: Site) -> object:
    return site.file, site.block.span
