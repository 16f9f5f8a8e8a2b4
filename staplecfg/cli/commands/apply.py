"""apply: renew, edit, test, reload, probe; undo if it is worse."""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.applying.carry_out import Manner
from staplecfg.applying.report import Outcome
from staplecfg.cli.commands import diff
from staplecfg.cli.editing import add_editing, left_alone, require_consent, step_teller
from staplecfg.cli.flow import Errand, carried_out, refuse_elsewhere
from staplecfg.cli.options import add_expert, add_frame, add_selection, given, settings
from staplecfg.cli.output import describe, renewals
from staplecfg.cli.output.result import Result
from staplecfg.cli.output.text import counted, say
from staplecfg.cli.schedule import warm_command
from staplecfg.model.errors import ExitStatus
from staplecfg.model.finding import Severity
from staplecfg.model.plan import Decision, Goal
from staplecfg.model.probe import Missing
from staplecfg.planning.early import not_served
from staplecfg.planning.looking import in_effect
from staplecfg.servers.registry import SERVERS

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from staplecfg.cli.flow import Done
    from staplecfg.model.plan import SitePlan
    from staplecfg.model.staple import Staple

EPILOG = "example:  staplecfg apply --site 'shop.*' --dry-run"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add how far to go."""
    add_selection(parser)
    add_editing(parser)
    group = parser.add_argument_group("how far to go")
    group.add_argument("--dry-run", action="store_true", help="show the diff and end in 0")
    group.add_argument(
        "--no-reload", action="store_true", help="write and test; the next warm reloads"
    )
    group.add_argument(
        "--config-only", action="store_true", help="write and test; no fetch, reload or probe"
    )
    add_expert(parser)
    add_frame(parser)


def run(options: argparse.Namespace) -> Result:
    """Go the whole way, or under `--dry-run` as far as the diff."""
    wanted = settings(options)
    require_consent(wanted)
    refuse_elsewhere(wanted, "apply")
    if options.dry_run:
        return diff.planned(options, wanted, pending=ExitStatus.DONE)
    live = not (options.no_reload or options.config_only)
    errand = Errand(
        Goal.PRESENT,
        purpose="apply",
        manner=Manner(reload=live, probe=live),
        warm_command=warm_command(options, given(options)),
        fetch=not options.config_only,
    )
    return result(carried_out(wanted, errand, tell=say, tell_step=step_teller(options)))


def result(done: Done) -> Result:
    """Return what a run that wrote came to."""
    applied = done.report.outcome is Outcome.APPLIED
    changes = done.plan.changes if applied else ()
    must = _at_stake(done)
    return Result(
        status=ExitStatus.FINDINGS if must else ExitStatus.DONE,
        lines=(*left_alone(done.plan), _summary(done)),
        changed=applied,
        changes=changes,
        findings=done.plan.findings,
        sites=tuple(describe.site(each.site, each) for each in done.plan.sites),
        staples=describe.staples(done.facts),
        installation=done.facts.installation,
        warnings=(*renewals.warnings(done.renewals), *_withheld(done), *_not_reached(done)),
        outcome=done.report.outcome.value,
        extra={
            "steps": [
                {"name": step.name, "subject": step.subject, "detail": step.detail}
                for step in done.report.steps
            ],
            "renewals": [renewals.json(each) for each in done.renewals],
            "probes": [describe.probe(each, done.facts.now) for each in done.report.probes],
        },
    )


def _at_stake(done: Done) -> bool:
    """Say whether a Must-Staple certificate is left without, or a site is in error."""
    without = any(
        renewal.chain.must_staple and renewal.stored.staple is None for renewal in done.renewals
    )
    return without or any(finding.severity is Severity.ERROR for finding in done.plan.findings)


def _not_reached(done: Done) -> Iterator[str]:
    """Yield a line about the sites at which no staple was seen, though there is one for them."""
    missing = {each.location for each in done.report.probes if isinstance(each.verdict, Missing)}
    deliveries = SERVERS[done.facts.installation.server].deliveries
    for name, delivery in deliveries.items():
        sites = [
            each.site.title
            for each in done.plan.sites
            if each.decision is Decision.CONFIGURED
            and each.delivery == name
            and each.site.location in missing
            and _has_staple(each, done)
        ]
        if sites and delivery.from_store:
            why = "the server's error log may say why"
            if delivery.asks_us:
                listen = done.facts.settings.serve.listen
                why = f"`staplecfg serve` must answer at {listen}, and nobody else (`ss -ltnp`)"
            many = f" and {len(sites) - 1} more" if len(sites) > 1 else ""
            yield f"{sites[0]}{many}: a staple is in store, and visitors do not get it; {why}"


def _summary(done: Done) -> str:
    configured = [each for each in done.plan.sites if each.decision is Decision.CONFIGURED]
    stapling = [each for each in configured if _has_staple(each, done)]
    others = len(done.plan.sites) - len(configured)
    said = f"{counted(len(configured), 'site')} configured, {len(stapling)} with a staple"
    ending = "" if done.report.outcome is Outcome.APPLIED else "; nothing to do"
    return f"{said}, {others} left alone{ending}"


def _withheld(done: Done) -> Iterator[str]:
    """Yield a line about each site whose staple is too near its end to be given to the server."""
    for each in done.plan.sites:
        staple = _staple(each, done)
        why = None if staple is None else _why_withheld(each, staple, done)
        if each.decision is Decision.CONFIGURED and why is not None:
            yield f"{each.site.title}: {why}"


def _has_staple(each: SitePlan, done: Done) -> bool:
    staple = _staple(each, done)
    return staple is not None and _why_withheld(each, staple, done) is None


def _staple(each: SitePlan, done: Done) -> Staple | None:
    stored = done.facts.stored.get(each.fingerprint or "")
    if stored is None or stored.staple is None or stored.staple.expires <= done.facts.now:
        return None
    return stored.staple


def _why_withheld(each: SitePlan, staple: Staple, done: Done) -> str | None:
    delivery = SERVERS[done.facts.installation.server].deliveries.get(each.delivery or "")
    if delivery is None or not delivery.from_store or delivery.asks_us:
        return None
    return not_served(staple, done.facts.now, in_effect(done.facts))
