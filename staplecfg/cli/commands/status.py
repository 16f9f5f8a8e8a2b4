"""status: how the staples in use stand; changes nothing, asks nobody but the local responder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from staplecfg.cli.clock import clock
from staplecfg.cli.flow import refuse_elsewhere, server_of
from staplecfg.cli.options import add_expert, add_frame, add_selection, given, settings
from staplecfg.cli.output import nagios, prometheus, text
from staplecfg.cli.output import status as shown
from staplecfg.cli.output.file import write_whole
from staplecfg.cli.output.result import Result
from staplecfg.cli.schedule import warm_command
from staplecfg.cli.targets import chosen
from staplecfg.loading.local_responder import with_local_responders
from staplecfg.loading.observe import observe
from staplecfg.model.errors import ExitStatus, StaplecfgError, UsageProblem
from staplecfg.planning.status import Status, status

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from staplecfg.model.settings import Settings

Lost: TypeAlias = "tuple[Settings, StaplecfgError]"
"""A server of which nothing could be told, and why."""

EPILOG = """\
example:  staplecfg status --format prometheus --output /var/lib/node_exporter/staplecfg.prom

With --format nagios the exit status is that of monitoring plugins: 0 OK, 1 WARNING, 2 CRITICAL,
3 UNKNOWN (docs/monitoring.md)."""

FORMATS = ("text", "json", "prometheus", "nagios")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add how it is shown."""
    add_selection(parser)
    add_expert(parser)
    add_frame(parser, FORMATS)
    parser.add_argument(
        "--output", metavar="FILE", help="write metrics there, all at once (with prometheus)"
    )


def run(options: argparse.Namespace) -> Result:
    """Look at every target; exit status 1 where a person is needed, or what is worst of all."""
    wanted = settings(options)
    refuse_elsewhere(wanted, "status")
    if options.output is not None and options.format != "prometheus":
        raise UsageProblem("--output goes with --format prometheus")
    seen: list[Status] = []
    lost: list[Lost] = []
    for target in chosen(options):
        if isinstance(target, StaplecfgError):
            lost.append((wanted, target))
            continue
        try:
            seen.append(standing(target, options))
        except StaplecfgError as error:
            lost.append((target, error))
    if options.format == "nagios":
        line, state = nagios.line(seen, [error for _, error in lost])
        return Result(status=state, lines=(line,))
    if options.format == "prometheus":
        return _metrics(seen, lost, options.output)
    if len(lost) == 1 and not seen:
        raise lost[0][1]
    return _result(seen, lost)


def standing(wanted: Settings, options: argparse.Namespace) -> Status:
    """Return how the staples of the server that `wanted` names stand."""
    server = server_of(wanted)
    facts = with_local_responders(observe(server, wanted, clock(), ask_resolvers=False))
    return status(facts, server, warm_command=warm_command(options, given(options)))


def _status(seen: Sequence[Status], lost: Sequence[Lost]) -> ExitStatus:
    needing = any(target.calls or target.findings for target in seen)
    standing = ExitStatus.FINDINGS if needing else ExitStatus.DONE
    return max(standing, *(error.status for _, error in lost), ExitStatus.DONE)


def _metrics(seen: Sequence[Status], lost: Sequence[Lost], output: str | None) -> Result:
    words = prometheus.text(seen, unreadable=len(lost), now=clock())
    if output is None:
        lines = tuple(words.splitlines())
        return Result(status=_status(seen, lost), lines=lines, notes=_notes(lost))
    write_whole(Path(output).resolve(), words.encode())
    return Result(status=_status(seen, lost), changed=True, notes=_notes(lost))


def _result(seen: Sequence[Status], lost: Sequence[Lost]) -> Result:
    lines = [line for target in seen for line in shown.lines(target)]
    servers = [shown.target(target) for target in seen]
    servers += [shown.unreadable(wanted, error) for wanted, error in lost]
    return Result(
        status=_status(seen, lost),
        lines=(*lines, *((shown.summary(seen),) if seen else ())),
        staples=tuple(row for target in seen for row in shown.staples(target)),
        findings=tuple(found for target in seen for found in target.findings),
        installation=seen[0].facts.installation if seen else None,
        notes=_notes(lost),
        extra={"targets": servers},
    )


def _notes(lost: Sequence[Lost]) -> tuple[str, ...]:
    return tuple(line for _, error in lost for line in text.error(error))
