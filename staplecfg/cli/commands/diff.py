"""diff: the unified diff that apply would make; reads only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.cli.asking import asking
from staplecfg.cli.clock import clock
from staplecfg.cli.editing import add_editing, left_alone, require_consent
from staplecfg.cli.flow import server_of, with_trouble
from staplecfg.cli.options import add_expert, add_frame, add_root, add_selection, given, settings
from staplecfg.cli.output import describe
from staplecfg.cli.output.result import Result
from staplecfg.cli.schedule import warm_command
from staplecfg.loading.observe import observe, observe_gone
from staplecfg.model.change import Kind
from staplecfg.model.errors import ExitStatus
from staplecfg.model.plan import Goal
from staplecfg.planning.diff import unified
from staplecfg.planning.planner import plan

if TYPE_CHECKING:
    import argparse

    from staplecfg.model.change import Change
    from staplecfg.model.facts import Facts
    from staplecfg.model.settings import Settings
    from staplecfg.servers.interface import Server

EPILOG = "example:  staplecfg diff | git apply --check -"

STATE = {Kind.SNIPPET, Kind.STAPLE, Kind.RECORD}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what to plan for."""
    add_selection(parser)
    add_editing(parser)
    add_root(parser)
    add_expert(parser)
    add_frame(parser)


def run(options: argparse.Namespace) -> Result:
    """Plan as apply would, with the staples there are; exit status 1 where changes are pending."""
    wanted = settings(options)
    require_consent(wanted)
    return planned(options, wanted, pending=ExitStatus.FINDINGS)


def planned(
    options: argparse.Namespace,
    wanted: Settings,
    *,
    pending: ExitStatus,
    goal: Goal = Goal.PRESENT,
) -> Result:
    """Return the diff that `options` lead to, with exit status `pending` where it is not empty."""
    server = server_of(wanted)
    facts = _observed(server, wanted, goal)
    command = warm_command(options, given(options))
    made = with_trouble(plan(facts, server, goal, warm_command=command), facts)
    changes = _shown(made.changes, wanted)
    return Result(
        status=pending if changes else ExitStatus.DONE,
        data=unified(changes),
        notes=tuple(left_alone(made)),
        changes=changes,
        findings=made.findings,
        sites=tuple(describe.site(each.site, each) for each in made.sites),
        staples=describe.staples(facts),
        installation=facts.installation,
        outcome="pending" if changes else "unchanged",
        extra={
            "renewals": [] if goal is Goal.ABSENT else asking(facts, server, goal),
            "offline": wanted.offline,
        },
    )


def _observed(server: Server, wanted: Settings, goal: Goal) -> Facts:
    """Observe; what is gone can still be removed."""
    gone = observe_gone(server, wanted, clock()) if goal is Goal.ABSENT else None
    return gone or observe(server, wanted, clock(), ask_resolvers=False, ask_server=True)


def _shown(changes: tuple[Change, ...], wanted: Settings) -> tuple[Change, ...]:
    # A checkout holds no state: what depends on responses is the machine's own.
    if not wanted.elsewhere:
        return changes
    return tuple(change for change in changes if change.kind not in STATE)
