"""What diff, apply and remove have in common: the arguments, the words, and when to refuse."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING

from staplecfg.cli.options import add_flag
from staplecfg.cli.output import streams, text
from staplecfg.cli.output.clean import clean_line
from staplecfg.model.errors import UsageProblem
from staplecfg.model.plan import Decision

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from staplecfg.applying.report import Step
    from staplecfg.model.plan import Plan
    from staplecfg.model.settings import Settings

WIDTH = 11

STAPLE_FILE = "ssl_stapling_file"
"""The one directive by which a site hands out a file of somebody else's making (nginx)."""


def add_editing(parser: argparse.ArgumentParser) -> None:
    """Add what decides about the edits themselves."""
    group = parser.add_argument_group("edits")
    add_flag(
        group,
        "replace",
        metavar="NAME",
        action="append",
        help="directive NAME may be replaced where it has another value; needs --site",
    )
    group.add_argument(
        "--adopt",
        dest="replace",
        action="append_const",
        const=STAPLE_FILE,
        help="take over staple files that somebody else has written; needs --site",
    )
    add_flag(
        group,
        "force",
        action="store_true",
        default=None,
        help="edit files too that a panel or a configuration manager regenerates",
    )
    add_flag(
        group,
        "unscheduled",
        action="store_true",
        default=None,
        help="staples are renewed by something else (`staplecfg warm`, at least hourly)",
    )


def require_consent(settings: Settings) -> None:
    """Raise `UsageProblem` where values would be replaced in sites nobody named."""
    if settings.replace and not settings.sites:
        raise UsageProblem(
            "--replace and --adopt overrule what stands in a site, so they need --site",
            hint="name the sites: --site 'shop.example' (or --site '*' for all)",
        )


def step_teller(options: argparse.Namespace) -> Callable[[Step], None]:
    """Return what tells each step when it is done; JSON has them at the end instead."""

    def tell(step: Step) -> None:
        if options.format == "text":
            line = f"{step.name:<{WIDTH}}{step.subject}"
            # That nobody reads it (`| head -1`) must not undo what is under way; the end says so.
            with contextlib.suppress(streams.Unwritten):
                streams.write(f"{clean_line(f'{line}  {step.detail}'.rstrip())}\n")

    return tell


def left_alone(plan: Plan) -> list[str]:
    """Return a line for each site the plan does not configure, and every finding of its making."""
    told = {(finding.location, finding.site) for finding in plan.findings}
    colour = text.wants_colour(sys.stdout) and sys.stderr.isatty()
    lines = text.findings(plan.findings, colour=colour)
    for each in plan.sites:
        if each.decision is Decision.CONFIGURED or (each.site.location, each.site.title) in told:
            continue
        where = clean_line(str(each.site.location))
        title = clean_line(each.site.title)
        lines.append(f"{where}: {each.decision.value}: {title}: {clean_line(each.reason)}")
    return lines
