"""Facts and a goal become a plan; planning again on what it leaves finds nothing to do."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from staplecfg.checks import (
    interrupted_run,
    must_staple_no_responder,
    no_responder_url,
    stapling_off_decided,
)
from staplecfg.checks.registry import run
from staplecfg.model.change import Change, Content, Kind
from staplecfg.model.facts import Record
from staplecfg.model.filesystem import Overlay
from staplecfg.model.plan import Decision, Goal, Plan
from staplecfg.planning import looking, targeted, targets, units
from staplecfg.planning import record as memory
from staplecfg.planning.outcome import troubled
from staplecfg.planning.present import present, untouched
from staplecfg.planning.prove import unsafe
from staplecfg.planning.removal import absent
from staplecfg.planning.renewed import left_over
from staplecfg.planning.schedule.needs import Needs
from staplecfg.planning.state import named_by, state
from staplecfg.planning.state import present as standing
from staplecfg.planning.trusted import believed
from staplecfg.planning.units import Scheduled
from staplecfg.planning.watched import Watched, watch
from staplecfg.planning.ways import Use, ways

if TYPE_CHECKING:
    from collections.abc import Iterator

    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding
    from staplecfg.model.target import Target
    from staplecfg.planning.outcome import Outcome
    from staplecfg.planning.ways import Ways
    from staplecfg.servers.interface import Server

SPOKEN = (
    interrupted_run.RULE,
    must_staple_no_responder.RULE,
    no_responder_url.RULE,
    stapling_off_decided.RULE,
)
"""The rules that say why a site is left alone, or what comes first, as `check` does."""

UNREAD = "shared-file-unread"
UNSTABLE = "planning again would change it again"


@dataclass(frozen=True, slots=True)
class Terms:
    """What is asked for. `lost`: no record is to be had. `veto`: why no file may be edited."""

    goal: Goal
    warm_command: tuple[str, ...]
    lost: bool
    veto: str | None = None


def plan(facts: Facts, server: Server, goal: Goal, *, warm_command: tuple[str, ...]) -> Plan:
    """Return everything that must change on the machine of `facts` to reach `goal`.

    `warm_command` is what the schedule runs. Raises `NotUnderstood` at the
    place in a template that makes no sense, `UsageProblem` for an unknown
    delivery. Whatever is wrong with one file or one site is a finding, and the
    others go on.
    """
    facts = looking.intended(facts, goal)
    terms = Terms(goal, warm_command, lost=_lost(facts))
    drafted = _draft(facts, server, terms)
    touched = [each for each in drafted.changes if each.kind in {Kind.CONFIG, Kind.LINK}]
    edited = [each for each in touched if each.path in facts.configuration.files]
    if not touched:
        return drafted
    second = again(facts, drafted, server, warm_command=warm_command)
    # What was made for the whole server must then be read by it.
    unread = [each for each in second.findings if each.rule == UNREAD]
    if second.empty and not unread and _as_promised(drafted, second):
        return drafted
    refused = _draft(facts, server, replace(terms, veto=UNSTABLE))
    found = unread or [
        unsafe(facts.configuration.files[change.path], UNSTABLE) for change in edited
    ]
    return replace(refused, findings=tuple(dict.fromkeys((*refused.findings, *found))))


def _as_promised(first: Plan, second: Plan) -> bool:
    """Say whether every site that `first` configures is so when it is read again."""
    return len(first.sites) == len(second.sites) and all(
        after.decision is Decision.CONFIGURED
        for before, after in zip(first.sites, second.sites, strict=True)
        if before.decision is Decision.CONFIGURED
    )


def again(facts: Facts, first: Plan, server: Server, *, warm_command: tuple[str, ...]) -> Plan:
    """Return the plan for the machine as `first` leaves it, its configuration read anew."""
    files = Overlay.of(facts.files, (*first.changes, *first.collect))
    configuration = server.dialect.configuration(files, facts.installation, facts.settings)
    kept = standing(facts.settings.state_dir / memory.NAME, files)
    anew = replace(
        facts,
        files=files,
        configuration=configuration,
        record=Record() if kept is None else memory.decode(kept.data),
        targets=targets.load(files, facts.settings.state_dir),
    )
    # What the first plan writes down is not lost the second time.
    lost = _lost(facts) and _lost(anew)
    return _draft(anew, server, Terms(first.goal, warm_command, lost=lost))


def _lost(facts: Facts) -> bool:
    """Say whether there should be a record and is none, so that lines must tell whose they are."""
    own = targeted.known(facts)
    return facts.record == Record() and (own is None or bool(own.files))


def _draft(facts: Facts, server: Server, terms: Terms) -> Plan:
    every = ways(facts, server)
    outcome = _outcome(facts, server, every, terms)
    scheduled = _schedule(facts, targeted.after(facts, outcome, terms.goal), outcome, terms)
    findings = [*outcome.findings, *scheduled.findings]
    if terms.goal is Goal.PRESENT:
        findings += run(SPOKEN, facts)
        rotting = any(use.delivery.needs_schedule for use in outcome.keys)
        if rotting and not scheduled.runs:
            findings += units.nothing_renews(facts)
        if any(use.delivery.asks_us for use in outcome.keys):
            findings += units.nothing_serves(facts)
    return _assembled(facts, server, outcome, scheduled, terms, tuple(findings))


def _outcome(facts: Facts, server: Server, every: Ways, terms: Terms) -> Outcome:
    if terms.goal is Goal.PRESENT:
        return present(facts, server, every, lost=terms.lost, veto=terms.veto)
    if terms.goal is Goal.ABSENT:
        return absent(facts, server, every, lost=terms.lost, veto=terms.veto)
    return untouched(facts, every)


def _schedule(facts: Facts, target: Target | None, outcome: Outcome, terms: Terms) -> Scheduled:
    beside = targeted.others(facts)
    known = sorted((*beside, *([target] if target else [])), key=lambda each: str(each.config))
    needs = Needs(facts, terms.warm_command, tuple(known))
    kept = facts.record.units
    if terms.goal is Goal.PRESENT and (outcome.keys or kept):
        return units.schedule(needs)
    if terms.goal is Goal.ABSENT and target is None:
        if not beside and not targeted.unknown(facts):
            return Scheduled(runs=False, collect=units.removal(kept, facts))
        if kept and beside:
            return units.schedule(needs)
    if terms.goal is Goal.STATE_ONLY and not facts.settings.offline:
        return Scheduled(runs=bool(kept), units=kept, collect=units.watching(needs))
    return Scheduled(runs=bool(kept), units=kept)


def _assembled(
    facts: Facts,
    server: Server,
    outcome: Outcome,
    scheduled: Scheduled,
    terms: Terms,
    findings: tuple[Finding, ...],
) -> Plan:
    every = ways(facts, server)
    kept = state(outcome.keys, outcome.taken, facts, server.dialect)
    target = targeted.after(facts, outcome, terms.goal)
    remembered, forgotten = _record(facts, _with_units(outcome.record, scheduled, facts))
    # A site in a file that cannot be read just now is not gone: with nothing to renew,
    # what is remembered of it stays.
    idle = terms.goal is Goal.STATE_ONLY and not kept.changes
    watched = Watched() if idle and troubled(facts) else watch(facts, server, target, kept)
    believing = believed(outcome.sites, facts, every, terms.goal)
    changes = (
        *believing.changes,
        *kept.changes,
        *watched.changes,
        *remembered,
        *outcome.edits,
        *scheduled.changes,
    )
    in_use = kept.paths | believing.paths | _used_elsewhere(facts, server, every)
    litter = tuple(_litter(facts, every, in_use))
    return Plan(
        goal=terms.goal,
        changes=changes,
        collect=(*litter, *scheduled.collect, *watched.collect, *forgotten),
        findings=tuple(dict.fromkeys(findings)),
        sites=outcome.sites,
        reload=watched.reload
        or bool(outcome.edits)
        or any(_re_read(change, kept.live) for change in changes),
    )


def _with_units(record: Record, scheduled: Scheduled, facts: Facts) -> Record:
    """Return `record` with what is `scheduled`, and the directories that hold nothing else."""
    made = dict.fromkeys((*facts.record.directories, *scheduled.made))
    used = {parent for unit in scheduled.units for parent in unit.parents}
    kept = tuple(each for each in made if each in used)
    return replace(record, units=scheduled.units, directories=kept)


def _record(facts: Facts, after: Record) -> tuple[tuple[Change, ...], tuple[Change, ...]]:
    """Return the record's change, to be made or to be collected; an empty record is no file."""
    if after == facts.record:
        return (), ()
    path = facts.settings.state_dir / memory.NAME
    before = standing(path, facts.files)
    target = facts.files.resolve(path)
    if after == Record():
        gone = Change(target, Kind.RECORD, before, None)
        return ((), (gone,)) if before is not None else ((), ())
    content = Content(memory.encode(after), mode=0o644)
    return (Change(target, Kind.RECORD, before, content),), ()


def _used_elsewhere(facts: Facts, server: Server, every: Ways) -> frozenset[PurePosixPath]:
    """Return what files read which this configuration does not: another instance's."""
    elsewhere = [
        each
        for each in facts.record.inserted
        if each.file not in facts.configuration.files and facts.files.exists(each.file)
    ]
    uses = [Use(delivery, each.key) for each in elsewhere for delivery in every.every]
    uses += [
        Use(delivery, key)
        for each in targeted.others(facts)
        if each.server == server.name
        for key in each.keys
        for delivery in every.every
    ]
    named = {
        PurePosixPath(arg)
        for each in elsewhere
        for words in each.words
        for arg in words[1:]
        if arg.startswith("/")
    }
    return named_by(dict.fromkeys(uses), facts, server.dialect) | named


def _litter(facts: Facts, every: Ways, in_use: frozenset[PurePosixPath]) -> Iterator[Change]:
    if troubled(facts) or targeted.unknown(facts):
        return  # what cannot be read may name it
    for delivery in every.every:
        for path in delivery.litter(facts.files, facts.settings.state_dir, in_use):
            yield _away(facts.files.resolve(path), facts)
    # Another instance of the server may have the same store.
    if not any(each.server == facts.installation.server for each in targeted.others(facts)):
        for path in left_over(facts, every, in_use):
            yield _away(path, facts)


def _away(path: PurePosixPath, facts: Facts) -> Change:
    kind = Kind.STAPLE if path.suffix in {".der", ".json"} else Kind.SNIPPET
    return Change(path, kind, standing(path, facts.files), None)


def _re_read(change: Change, live: frozenset[PurePosixPath]) -> bool:
    if change.kind is Kind.CONFIG:
        return True
    return change.kind in {Kind.SNIPPET, Kind.STAPLE} and change.path not in live
