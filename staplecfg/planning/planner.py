"""Facts and a goal become a plan; planning again on what it leaves finds nothing to do."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from staplecfg.checks import must_staple_no_responder, no_responder_url, stapling_off_decided
from staplecfg.checks.registry import run
from staplecfg.model.change import Change, Content, Kind
from staplecfg.model.errors import UsageProblem
from staplecfg.model.facts import Record
from staplecfg.model.filesystem import Overlay
from staplecfg.model.finding import Severity
from staplecfg.model.plan import Goal, Plan
from staplecfg.planning import record as memory
from staplecfg.planning import units
from staplecfg.planning.present import present, untouched
from staplecfg.planning.prove import unsafe
from staplecfg.planning.removal import absent
from staplecfg.planning.state import named_by, state
from staplecfg.planning.state import present as standing
from staplecfg.planning.units import Scheduled

if TYPE_CHECKING:
    from pathlib import PurePosixPath

    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding
    from staplecfg.planning.outcome import Outcome
    from staplecfg.servers.interface import Delivery, Server

SPOKEN = (must_staple_no_responder.RULE, no_responder_url.RULE, stapling_off_decided.RULE)
"""The rules that say why a site is left alone, in the words that `check` uses."""

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
    terms = Terms(goal, warm_command, lost=facts.record == Record())
    drafted = _draft(facts, server, terms)
    edited = [change for change in drafted.changes if change.kind is Kind.CONFIG]
    if not edited or again(facts, drafted, server, warm_command=warm_command).empty:
        return drafted
    refused = _draft(facts, server, replace(terms, veto=UNSTABLE))
    found = (unsafe(facts.configuration.files[change.path], UNSTABLE) for change in edited)
    return replace(refused, findings=tuple(dict.fromkeys((*refused.findings, *found))))


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
    )
    return _draft(anew, server, Terms(first.goal, warm_command, lost=facts.record == Record()))


def delivery_of(facts: Facts, server: Server) -> Delivery:
    """Return the delivery that the settings name, or the server's default."""
    name = facts.settings.delivery or server.default_delivery
    found = server.deliveries.get(name)
    if found is None:
        raise UsageProblem(
            f'{server.name} has no delivery "{name}"',
            hint="there is " + ", ".join(sorted(server.deliveries)),
        )
    return found


def _draft(facts: Facts, server: Server, terms: Terms) -> Plan:
    delivery = delivery_of(facts, server)
    outcome = _outcome(facts, server, delivery, terms)
    scheduled = _schedule(facts, outcome, terms)
    findings = [*outcome.findings, *scheduled.findings]
    if terms.goal is Goal.PRESENT:
        findings += run(SPOKEN, facts)
        if outcome.keys and delivery.needs_schedule and not scheduled.runs:
            findings += units.nothing_renews(facts)
    return _assembled(facts, server, outcome, scheduled, terms, tuple(findings))


def _outcome(facts: Facts, server: Server, delivery: Delivery, terms: Terms) -> Outcome:
    if terms.goal is Goal.PRESENT:
        return present(facts, server, delivery, veto=terms.veto)
    if terms.goal is Goal.ABSENT:
        return absent(facts, server, delivery, lost=terms.lost, veto=terms.veto)
    return untouched(facts, delivery)


def _schedule(facts: Facts, outcome: Outcome, terms: Terms) -> Scheduled:
    if terms.goal is Goal.PRESENT and outcome.keys:
        return units.schedule(facts, terms.warm_command)
    if terms.goal is Goal.ABSENT and not outcome.keys and not outcome.record.inserted:
        return Scheduled(runs=False, collect=units.removal(facts.record.units, facts))
    return Scheduled(runs=bool(facts.record.units), units=facts.record.units)


def _assembled(
    facts: Facts,
    server: Server,
    outcome: Outcome,
    scheduled: Scheduled,
    terms: Terms,
    findings: tuple[Finding, ...],
) -> Plan:
    delivery = delivery_of(facts, server)
    kept = state(outcome.keys, outcome.taken, facts, delivery, server.dialect)
    remembered, forgotten = _record(facts, replace(outcome.record, units=scheduled.units))
    changes = (*kept.changes, *remembered, *outcome.edits, *scheduled.changes)
    in_use = kept.paths | _used_elsewhere(facts, server, delivery)
    litter = tuple(_away(path, facts) for path in _litter(facts, delivery, in_use))
    return Plan(
        goal=terms.goal,
        changes=changes,
        collect=(*litter, *scheduled.collect, *forgotten),
        findings=tuple(dict.fromkeys(findings)),
        sites=outcome.sites,
        reload=any(_re_read(change, delivery) for change in changes),
    )


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


def _used_elsewhere(facts: Facts, server: Server, delivery: Delivery) -> frozenset[PurePosixPath]:
    """Return state that files read which this configuration does not: another instance's."""
    keys = [
        each.key
        for each in facts.record.inserted
        if each.file not in facts.configuration.files and facts.files.exists(each.file)
    ]
    return named_by(keys, facts, delivery, server.dialect)


def _litter(
    facts: Facts, delivery: Delivery, in_use: frozenset[PurePosixPath]
) -> tuple[PurePosixPath, ...]:
    if any(finding.severity is Severity.ERROR for finding in facts.configuration.findings):
        return ()  # what cannot be read may name it
    return delivery.litter(facts.files, facts.settings.state_dir, in_use)


def _away(path: PurePosixPath, facts: Facts) -> Change:
    kind = Kind.STAPLE if path.suffix == ".der" else Kind.SNIPPET
    return Change(facts.files.resolve(path), kind, standing(path, facts.files), None)


def _re_read(change: Change, delivery: Delivery) -> bool:
    if change.kind is Kind.CONFIG:
        return True
    return change.kind in {Kind.SNIPPET, Kind.STAPLE} and not delivery.live
