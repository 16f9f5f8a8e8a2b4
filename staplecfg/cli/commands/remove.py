"""remove: take out what staplecfg put in; the exact bytes back where nothing else changed them."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from staplecfg.applying.carry_out import Manner
from staplecfg.applying.report import Outcome
from staplecfg.cli.commands import apply, diff
from staplecfg.cli.editing import step_teller
from staplecfg.cli.flow import Errand, carried_out, refuse_elsewhere
from staplecfg.cli.options import add_expert, add_frame, add_selection, given, settings
from staplecfg.cli.output import text
from staplecfg.cli.output.clean import clean_line
from staplecfg.cli.output.text import say
from staplecfg.cli.schedule import warm_command
from staplecfg.cli.targets import to_remove
from staplecfg.model.errors import ExitStatus
from staplecfg.model.plan import Goal

if TYPE_CHECKING:
    import argparse

    from staplecfg.cli.output.result import Result
    from staplecfg.model.settings import Settings

EPILOG = "example:  staplecfg remove"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add how far to go."""
    add_selection(parser)
    group = parser.add_argument_group("how far to go")
    group.add_argument("--dry-run", action="store_true", help="show the diff and end in 0")
    group.add_argument(
        "--no-reload", action="store_true", help="write and test; the next warm reloads"
    )
    add_expert(parser)
    add_frame(parser)


def run(options: argparse.Namespace) -> Result:
    """Take out our lines, state and schedule; staples fetched stay in the store."""
    refuse_elsewhere(settings(options), "remove")
    wanted = selected_here(to_remove(options), options)
    if options.dry_run:
        return diff.planned(options, wanted, pending=ExitStatus.DONE, goal=Goal.ABSENT)
    live = not options.no_reload
    errand = Errand(
        Goal.ABSENT,
        purpose="remove",
        manner=Manner(reload=live, probe=live),
        warm_command=warm_command(options, given(options)),
        fetch=False,
    )
    done = carried_out(wanted, errand, tell=say, tell_step=step_teller(options))
    ended = apply.result(done)
    took = done.report.outcome is Outcome.APPLIED
    store = f"staples stay in {wanted.state_dir}/store; nothing reads them any more"
    line = clean_line(f"removed; {store}") if took else "nothing of staplecfg's was found"
    found = text.findings(ended.findings, colour=text.wants_colour(sys.stdout))
    return replace(ended, lines=(*found, line))


def selected_here(wanted: Settings, options: argparse.Namespace) -> Settings:
    """Return `wanted` for the sites that this command line selects, all without a selection.

    Which sites are to be configured from now on, as the settings file says, is
    another question: what an earlier run put into others has to go too.
    """
    sites, exclude = (tuple(getattr(options, name) or ()) for name in ("sites", "exclude"))
    return replace(wanted, sites=sites, exclude=exclude)
