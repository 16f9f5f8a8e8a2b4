"""check: what is wrong, at file:line; changes nothing."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from staplecfg.checks.registry import GENERAL_RULES
from staplecfg.checks.registry import run as run_rules
from staplecfg.checks.subjects import selected
from staplecfg.cli.clock import clock
from staplecfg.cli.flow import server_of
from staplecfg.cli.options import add_expert, add_frame, add_root, add_selection, settings
from staplecfg.cli.output import describe, text
from staplecfg.cli.output.result import Result
from staplecfg.loading.local_responder import with_local_responders
from staplecfg.loading.observe import observe
from staplecfg.model.errors import ExitStatus
from staplecfg.model.finding import Severity

if TYPE_CHECKING:
    import argparse

EPILOG = "example:  staplecfg check --site 'shop.*'"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what to look at."""
    add_selection(parser)
    add_root(parser)
    add_expert(parser)
    add_frame(parser)


def run(options: argparse.Namespace) -> Result:
    """Return every finding, and exit status 1 where one is an error."""
    wanted = settings(options)
    server = server_of(wanted)
    facts = with_local_responders(
        observe(server, wanted, clock(), ask_resolvers=True, ask_server=True)
    )
    found = run_rules((*GENERAL_RULES, *server.rules), facts)
    sites = [site for site in facts.configuration.sites if selected(site, wanted)]
    bad = any(each.severity is Severity.ERROR for each in found)
    colour = text.wants_colour(sys.stdout)
    return Result(
        status=ExitStatus.FINDINGS if bad else ExitStatus.DONE,
        lines=(*text.findings(found, colour=colour), text.summary(found, len(sites))),
        findings=found,
        sites=tuple(describe.site(site) for site in sites),
        staples=describe.staples(facts),
        installation=facts.installation,
    )
