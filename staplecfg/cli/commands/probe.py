"""probe: real full handshakes with status_request, judged as a client would."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from staplecfg.applying.watch import Watch
from staplecfg.cli.clock import clock
from staplecfg.cli.flow import refuse_elsewhere, server_of
from staplecfg.cli.options import add_expert, add_frame, add_selection, settings
from staplecfg.cli.output import describe
from staplecfg.cli.output.clean import clean_line
from staplecfg.cli.output.result import Result
from staplecfg.loading.observe import observe
from staplecfg.model.errors import ExitStatus
from staplecfg.model.probe import NotTestable, Served

if TYPE_CHECKING:
    import argparse
    from datetime import datetime

    from staplecfg.model.probe import Probe

EPILOG = "example:  staplecfg probe --site shop.example"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add which sites."""
    add_selection(parser)
    add_expert(parser)
    add_frame(parser)


def run(options: argparse.Namespace) -> Result:
    """Shake hands with every configured site; exit status 1 where one has no good staple."""
    wanted = settings(options)
    refuse_elsewhere(wanted, "probe")
    server = server_of(wanted)
    facts = observe(server, wanted, clock(), ask_resolvers=False)
    found = Watch(server, facts, clock).probe()
    now = clock()
    bad = any(not isinstance(probe.verdict, Served | NotTestable) for probe in found)
    return Result(
        status=ExitStatus.FINDINGS if bad else ExitStatus.DONE,
        lines=(*(line(probe, now) for probe in found), summary(found)),
        sites=tuple(describe.site(site) for site in facts.configuration.sites),
        installation=facts.installation,
        extra={"probes": [describe.probe(probe, now) for probe in found]},
    )


def line(probe: Probe, now: datetime) -> str:
    """Return what one handshake showed."""
    body = describe.probe(probe, now)
    staple = probe.verdict.staple if isinstance(probe.verdict, Served) else None
    until = f"good until {staple.expires:%Y-%m-%d %H:%M} UTC" if staple else str(body["detail"])
    return clean_line(
        f"{body['verdict']:<13}{probe.site}  {body['address']}  {body['tls']}  {until}".rstrip()
    )


def summary(found: tuple[Probe, ...]) -> str:
    """Return how many handshakes ended how."""
    counts = Counter(describe.VERDICTS[type(probe.verdict)] for probe in found)
    return ", ".join(f"{number} {word}" for word, number in counts.items()) or "no TLS site found"
