"""The one flow, as far as a command goes: observe, renew, plan, carry out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from staplecfg.applying.carry_out import carry_out
from staplecfg.applying.included import included, require_unread
from staplecfg.applying.report import Steps
from staplecfg.applying.session import session
from staplecfg.applying.telling import RELOADED, RESTARTED
from staplecfg.applying.watch import Watch
from staplecfg.checks import configuration_trouble
from staplecfg.checks.registry import run as run_rules
from staplecfg.cli.alarms import raised
from staplecfg.cli.clock import clock
from staplecfg.cli.handed_in import handed_in, known_chains
from staplecfg.cli.output import renewals as renewal_lines
from staplecfg.cli.output.progress import progress
from staplecfg.loading import certificates
from staplecfg.loading.binaries import the_one
from staplecfg.loading.observe import again, observe, observe_gone, store_of
from staplecfg.model.errors import NotApplied, UsageProblem
from staplecfg.model.finding import Severity
from staplecfg.model.plan import Goal
from staplecfg.model.verdict import Good
from staplecfg.planning import looking
from staplecfg.planning.attention import unusable
from staplecfg.planning.planner import plan
from staplecfg.planning.units import NOTHING_RENEWS
from staplecfg.planning.wanted import in_one_block, wanted, wanted_together
from staplecfg.servers.registry import SERVERS
from staplecfg.staples.renew import renew
from staplecfg.staples.resting import resting
from staplecfg.staples.schedule import NotDue

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from staplecfg.applying.carry_out import Manner
    from staplecfg.applying.report import Report, Step
    from staplecfg.cli.alarms import Alarm
    from staplecfg.cli.handed_in import Response
    from staplecfg.model.chain import NoChain
    from staplecfg.model.facts import Facts
    from staplecfg.model.plan import Plan
    from staplecfg.model.settings import Settings
    from staplecfg.servers.interface import Server
    from staplecfg.staples.renew import Renewal

SWAPS = 3
"""How often it goes the whole way again for that; more is somebody who never stops."""


@dataclass(frozen=True, slots=True)
class Errand:
    """One run that writes: what for, how patiently, and with what a schedule would repeat it."""

    goal: Goal
    purpose: str
    manner: Manner
    warm_command: tuple[str, ...]
    lock_seconds: float = 10.0
    fetch: bool = True
    force: bool = False
    """Ask also about what is not due."""
    responses: tuple[Response, ...] = ()
    """Handed in by the user."""
    others: bool = False
    """There are other servers, which a response may be about."""


@dataclass(frozen=True, slots=True)
class Done:
    """What a run that writes came to."""

    facts: Facts
    plan: Plan
    renewals: tuple[Renewal, ...]
    report: Report
    alarms: tuple[Alarm, ...] = ()
    """What needs a person; only where staples are kept going (warm)."""

    @property
    def unusable(self) -> tuple[NoChain, ...]:
        """The certificates of configured sites that cannot be used: they need a person too."""
        return unusable(self.plan.sites, self.facts)


def server_of(settings: Settings) -> Server:
    """Return the server that `settings` name, or the one that is installed.

    Raises `UsageProblem` where several are.
    """
    return the_one(SERVERS.values(), settings)


def refuse_elsewhere(settings: Settings, command: str) -> None:
    """Raise `UsageProblem` where `command` would write to another machine's tree."""
    if settings.elsewhere:
        raise UsageProblem(f"--root is for check and diff; {command} works on this machine only")


def carried_out(
    settings: Settings,
    errand: Errand,
    *,
    tell: Callable[[str], None],
    tell_step: Callable[[Step], None],
) -> Done:
    """Go the whole way under the lock, and again where a reload took up a swapped certificate.

    `tell` hears what is being waited for, `tell_step` each step when it is done.
    """
    steps = Steps(tell_step)
    done = _once(settings, errand, steps, tell)
    for _ in range(SWAPS):
        if errand.goal is not Goal.STATE_ONLY or not _raced(done):
            break
        later = _once(settings, replace(errand, force=False, responses=()), steps, tell)
        report = replace(later.report, outcome=done.report.outcome)
        done = replace(later, renewals=(*done.renewals, *later.renewals), report=report)
    return done


def _raced(done: Done) -> bool:
    """Say whether the server may have loaded a certificate that the plan knew nothing of.

    Nobody can tell whether it read the certificate before or after it was replaced.
    """
    watch = Watch(server_of(done.facts.settings), done.facts, clock)
    reloaded = any(step.name in {RELOADED, RESTARTED} for step in done.report.steps)
    return reloaded and any(True for _ in watch.replaced())


def _once(settings: Settings, errand: Errand, steps: Steps, tell: Callable[[str], None]) -> Done:
    server = server_of(settings)
    if not Path(settings.state_dir).exists():
        # Made in the wrong place, the mere directory would keep the server from starting.
        require_unread(observe(server, settings, clock(), ask_resolvers=False), server)
    with session(
        settings, purpose=errand.purpose, wait=errand.lock_seconds, steps=steps, tell=tell
    ):
        facts, manner = _observed(server, settings, errand)
        facts = looking.intended(facts, errand.goal)
        if errand.goal is Goal.PRESENT:
            require_unread(facts, server)
        chains = known_chains(facts)
        handed = handed_in(
            errand.responses,
            chains,
            settings,
            steps,
            # Also of sites that are yet to be configured: their staples come first.
            together=in_one_block(facts, server, Goal.PRESENT) if errand.responses else (),
            others=errand.others,
        )
        facts, fetched = _warmed(facts, server, errand, steps)
        renewals = (*handed, *fetched)
        made = with_trouble(
            plan(facts, server, errand.goal, warm_command=errand.warm_command), facts
        )
        _require_renewal(made)
        report = carry_out(
            made,
            facts,
            Watch(server, facts, clock),
            manner,
            steps,
            included=included(facts, server),
        )
        alarms = raised(made, facts) if errand.goal is Goal.STATE_ONLY else ()
    return Done(facts, made, renewals, report, alarms)


def _observed(server: Server, settings: Settings, errand: Errand) -> tuple[Facts, Manner]:
    """Observe; a target that is gone can be forgotten, which takes no server."""
    if errand.goal is Goal.ABSENT:
        facts = observe_gone(server, settings, clock())
        if facts is not None:
            return facts, replace(errand.manner, test=False, reload=False, probe=False)
    edits = errand.goal is not Goal.STATE_ONLY
    facts = observe(server, settings, clock(), ask_resolvers=False, ask_server=edits)
    return facts, errand.manner


def with_trouble(made: Plan, facts: Facts) -> Plan:
    """Return `made` with what could not be read, for a site in such a file is not in the plan."""
    found = (*run_rules([configuration_trouble.RULE], facts), *made.findings)
    return replace(made, findings=tuple(dict.fromkeys(found)))


def _require_renewal(made: Plan) -> None:
    """Raise `NotApplied` where staples would be left that nothing renews."""
    for finding in made.findings:
        if finding.rule == NOTHING_RENEWS and finding.severity is Severity.ERROR:
            raise NotApplied(
                finding.problem,
                at=finding.location,
                hint=finding.hint,
                state="no configuration was changed",
            )


def _warmed(
    facts: Facts, server: Server, errand: Errand, steps: Steps
) -> tuple[Facts, tuple[Renewal, ...]]:
    """Renew, and observe again: asking takes minutes, in which a certificate may be replaced."""
    if errand.goal is Goal.ABSENT:
        return facts, ()
    first = _renewed(facts, server, errand, steps, besides=())
    if not errand.responses and all(isinstance(each.outcome, NotDue) for each in first):
        return facts, first  # nobody was asked: no time has gone by, and the store is as it was
    facts = again(facts, server, clock())
    kept = [renewal for renewal in first if renewal.chain.fingerprint in facts.stored]
    done = {renewal.chain.fingerprint for renewal in kept}
    second = _renewed(facts, server, errand, steps, besides=done)
    return again(facts, server, clock()) if second else facts, (*kept, *second)


def _renewed(
    facts: Facts, server: Server, errand: Errand, steps: Steps, *, besides: Collection[str]
) -> tuple[Renewal, ...]:
    """Renew what is due of the certificates that the goal is about, `besides` those done."""
    if facts.settings.offline or errand.goal is Goal.ABSENT or not errand.fetch:
        return ()
    chains = [
        each for each in wanted(facts, server, errand.goal) if each.fingerprint not in besides
    ]
    store = store_of(facts.settings)
    together = wanted_together(facts, server, errand.goal)
    margin = looking.in_effect(facts).margin
    grouped = {each.fingerprint for group in together for each in group}
    alone = [] if errand.force else [each for each in chains if each.fingerprint not in grouped]
    rest = resting(alone, facts, store.known(), margin=margin)
    private = [
        (chain, certificates.private(chain, facts.private_roots, facts.now))
        for chain in chains
        if chain.fingerprint not in rest
    ]
    if not private:
        return tuple(rest.values())
    with progress(len(private), "asking responders") as advance:
        renewals = renew(
            private,
            store,
            clock=clock,
            settings=facts.settings.responders,
            floors=facts.settings.floors,
            force=errand.force,
            margin=margin,
            together=together,
            progress=lambda renewal: advance(str(renewal.chain.path)),
        )
    for renewal in renewals:
        if isinstance(renewal.outcome, Good):
            steps.add("fetched", renewal.chain.path, renewal_lines.detail(renewal))
    asked = {renewal.chain.fingerprint: renewal for renewal in renewals}
    return tuple((rest | asked)[chain.fingerprint] for chain in chains)
