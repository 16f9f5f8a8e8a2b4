"""fetch: one judged staple into a file; no server is needed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from staplecfg.cli import staple_file
from staplecfg.cli.asking import row, timing
from staplecfg.cli.clock import clock
from staplecfg.cli.leaf import add_certificate, chain_of, content
from staplecfg.cli.options import add_frame, add_trust, settings
from staplecfg.cli.output import describe
from staplecfg.cli.output.clean import clean_line
from staplecfg.cli.output.result import Result
from staplecfg.loading import certificates
from staplecfg.machine.disk import Disk
from staplecfg.model.errors import ExitStatus, NotUnderstood, UsageProblem
from staplecfg.model.facts import Stored
from staplecfg.model.source import Location
from staplecfg.model.verdict import Good, Rejected
from staplecfg.pki.judge import Purpose, judge
from staplecfg.staples.fetch import fetch
from staplecfg.staples.schedule import Due, NotDue, never

if TYPE_CHECKING:
    import argparse

    from staplecfg.model.chain import Chain
    from staplecfg.model.settings import Settings
    from staplecfg.model.staple import Staple
    from staplecfg.model.verdict import FetchResult
    from staplecfg.staples.schedule import Timing

EPILOG = "example:  staplecfg fetch fullchain.pem --output staple.der"

STDOUT = "-"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the certificate and where the staple goes."""
    add_certificate(parser, positional=True)
    parser.add_argument(
        "--output", metavar="FILE", required=True, help="where the DER goes; - is standard output"
    )
    group = parser.add_argument_group("responders")
    group.add_argument("--settings", metavar="FILE", help="settings file (TOML)")
    add_trust(group)
    group = parser.add_argument_group("how far to go")
    group.add_argument(
        "--if-due", action="store_true", help="ask nobody where FILE holds a staple still fresh"
    )
    group.add_argument(
        "--response", metavar="FILE", help="take this response (DER) instead of asking for one"
    )
    group.add_argument(
        "--dry-run", action="store_true", help="say whether anybody would be asked, and ask nobody"
    )
    add_frame(parser)


def run(options: argparse.Namespace) -> Result:
    """Fetch and judge, and write only what is good and no worse than what FILE holds."""
    wanted = settings(options)
    if options.output == STDOUT and (options.format == "json" or sys.stdout.isatty()):
        raise UsageProblem(
            "`--output -` writes DER, which neither a terminal nor a JSON document can hold",
            hint="name a file",
        )
    _require_sense(options)
    chain = chain_of(options, wanted)
    held = None if options.output == STDOUT else staple_file.held(Path(options.output))
    present = (
        None if held is None else staple_file.present(Path(options.output), held, chain, wanted)
    )
    timing = _timing(chain, present, wanted, if_due=options.if_due)
    if options.dry_run:
        return _would(chain, present, timing)
    fresh = isinstance(timing, NotDue) and present is not None and present.expires > clock()
    if options.if_due and fresh and present is not None:
        return staple_file.as_it_is(chain, present, Path(options.output))
    if options.output != STDOUT:
        staple_file.require_directory(Path(options.output).resolve().parent)
    result = _asked(chain, present, wanted, options.response)
    if not isinstance(result, Good):
        return _failed(result, chain, options.output, present)
    if options.output == STDOUT:
        return Result(data=result.staple.der)
    if present is not None and present.der == result.staple.der:
        return staple_file.as_it_is(chain, present, Path(options.output))
    return staple_file.keep(chain, result.staple, held, Path(options.output))


def _require_sense(options: argparse.Namespace) -> None:
    if options.response is not None and (options.if_due or options.dry_run):
        raise UsageProblem("--response asks nobody: it goes without --if-due and --dry-run")


def _timing(chain: Chain, present: Staple | None, wanted: Settings, *, if_due: bool) -> Timing:
    if if_due:
        return timing(chain, Stored(present), None, clock(), wanted)
    return never(chain, clock()) or Due("asked for")


def _asked(
    chain: Chain, present: Staple | None, wanted: Settings, response: str | None
) -> FetchResult:
    if response is not None:
        return _handed_over(response, chain, present, wanted)
    roots = certificates.trusted_roots(Disk(Path("/")), wanted.trust)
    return fetch(
        chain,
        clock=clock,
        settings=wanted.responders,
        floors=wanted.floors,
        private=certificates.private(chain, roots, clock()),
        replaces=present,
    )


def _handed_over(
    response: str, chain: Chain, present: Staple | None, wanted: Settings
) -> Good | Rejected:
    """Judge the file `response` as an answer of the responder's would be."""
    if chain.issuer is None:
        raise NotUnderstood(
            "its issuer is not known, so nothing can be judged",
            at=Location(chain.path),
            hint="name a PEM file that holds it with --issuer",
        )
    return judge(
        content(response, "an OCSP response (DER)"),
        chain.leaf,
        chain.issuer,
        now=clock(),
        floors=wanted.floors,
        purpose=Purpose.NEW,
        allow_sha1=wanted.responders.allow_sha1_signature,
        replaces=present,
    )


def _would(chain: Chain, present: Staple | None, timing: Timing) -> Result:
    told = row(chain, timing)
    return Result(
        lines=(clean_line(f"{told['certificate']}: {told['outcome']}: {told['detail']}"),),
        staples=staple_file.standing(chain, present),
        outcome="unchanged",
        extra={"renewals": [told]},
    )


def _failed(result: FetchResult, chain: Chain, output: str, present: Staple | None) -> Result:
    assert not isinstance(result, Good)  # noqa: S101 - tells mypy what the caller has seen
    kept = ""
    if present is not None and present.expires > clock():
        kept = f"; {output} still holds one good until {present.expires:%Y-%m-%d %H:%M} UTC"
    verb = "rejected" if isinstance(result, Rejected) else "not to be had"
    hint = getattr(result, "hint", None)
    lines = [f"{chain.path}: staple {verb}: {result.problem}; nothing was written{kept}"]
    lines += [f"    hint: {hint}"] if hint else []
    return Result(
        status=ExitStatus.FINDINGS,
        lines=tuple(clean_line(line) for line in lines),
        staples=staple_file.standing(chain, present),
        outcome="failed",
        extra={"judgement": describe.judgement(result, clock())},
    )
