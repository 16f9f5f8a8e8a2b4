"""fetch: one judged staple into a file; no server is needed."""

from __future__ import annotations

import sys
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING

from staplecfg.cli import staple_file
from staplecfg.cli.asking import rows, timing
from staplecfg.cli.clock import clock
from staplecfg.cli.leaf import (
    add_beside,
    add_certificate,
    beside_of,
    chain_of,
    content,
    require_issuers,
)
from staplecfg.cli.options import add_frame, add_trust, settings
from staplecfg.cli.output import describe
from staplecfg.cli.output.clean import clean_line
from staplecfg.cli.output.result import Result
from staplecfg.loading import certificates
from staplecfg.machine.disk import Disk
from staplecfg.model.errors import ExitStatus, UsageProblem
from staplecfg.model.facts import Stored
from staplecfg.model.verdict import Good, Rejected, Unreachable
from staplecfg.staples.fetch import fetch
from staplecfg.staples.schedule import Due, never
from staplecfg.staples.together import only_singly

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from staplecfg.model.chain import Chain
    from staplecfg.model.settings import Settings
    from staplecfg.model.staple import Staple
    from staplecfg.staples.schedule import Timing

EPILOG = "example:  staplecfg fetch fullchain.pem --output staple.der"

STDOUT = "-"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the certificate and where the staple goes."""
    add_certificate(parser, positional=True)
    add_beside(parser)
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
    chains = (chain_of(options, wanted), *beside_of(options, wanted))
    if options.beside or options.response is not None:
        require_issuers(chains)
    path = Path(options.output)
    held = None if options.output == STDOUT else staple_file.held(path)
    present = () if held is None else staple_file.present(path, held, chains, wanted)
    timings = [_timing(*each, wanted, if_due=options.if_due) for each in _each(chains, present)]
    if options.dry_run:
        return _would(chains, present, timings)
    due = any(isinstance(each, Due) for each in timings)
    fresh = present and not due and all(each.expires > clock() for each in present)
    if options.if_due and fresh:
        return staple_file.as_it_is(chains, present, path)
    if options.output != STDOUT:
        staple_file.require_directory(path.resolve().parent)
    result = _asked(chains, present, wanted, options.response)
    if isinstance(result, Rejected | Unreachable):
        return _failed(result, chains, options.output, present)
    der = result[0].der
    if options.output == STDOUT:
        return Result(data=der)
    if present and present[0].der == der:
        return staple_file.as_it_is(chains, present, path)
    return staple_file.keep(chains, result, held, path)


def _require_sense(options: argparse.Namespace) -> None:
    if options.response is not None and (options.if_due or options.dry_run):
        raise UsageProblem("--response asks nobody: it goes without --if-due and --dry-run")


def _each(
    chains: Sequence[Chain], present: Sequence[Staple]
) -> Iterator[tuple[Chain, Staple | None]]:
    return zip_longest(chains, present)


def _timing(chain: Chain, present: Staple | None, wanted: Settings, *, if_due: bool) -> Timing:
    if if_due:
        return timing(chain, Stored(present), None, clock(), wanted)
    return never(chain, clock()) or Due("asked for")


def _asked(
    chains: Sequence[Chain], present: Sequence[Staple], wanted: Settings, response: str | None
) -> tuple[Staple, ...] | Rejected | Unreachable:
    """Return what a response that is good about all of `chains` says of each, or what came."""
    if response is not None:
        der = content(response, "an OCSP response (DER)")
        return staple_file.about_all(der, chains, wanted, replaces=present)
    roots = certificates.trusted_roots(Disk(Path("/")), wanted.trust)
    first, *beside = chains
    result = fetch(
        first,
        clock=clock,
        settings=wanted.responders,
        floors=wanted.floors,
        private=all(certificates.private(each, roots, clock()) for each in chains),
        replaces=next(iter(present), None),
        beside=beside,
    )
    if not isinstance(result, Good):
        return result
    if not beside:
        return (result.staple,)
    # So far the issuer of the first has been taken for everybody's.
    return staple_file.about_all(result.staple.der, chains, wanted, replaces=present)


def _would(chains: Sequence[Chain], present: Sequence[Staple], timings: Sequence[Timing]) -> Result:
    due = any(isinstance(each, Due) for each in timings)
    told = rows(zip(chains, timings, strict=True), [chains] if due else [])
    return Result(
        lines=tuple(
            clean_line(f"{each['certificate']}: {each['outcome']}: {each['detail']}")
            for each in told
        ),
        staples=staple_file.standing(chains, present),
        outcome="unchanged",
        extra={"renewals": told},
    )


def _failed(
    result: Rejected | Unreachable, chains: Sequence[Chain], output: str, present: Sequence[Staple]
) -> Result:
    kept = ""
    ends = min((each.expires for each in present), default=clock())
    if ends > clock():
        kept = f"; {output} still holds one good until {ends:%Y-%m-%d %H:%M} UTC"
    verb = "rejected" if isinstance(result, Rejected) else "not to be had"
    hint = getattr(result, "hint", None)
    lines = [f"{chains[0].path}: staple {verb}: {result.problem}; nothing was written{kept}"]
    lines += [f"    hint: {hint}"] if hint else []
    alone = isinstance(result, Rejected) and only_singly(result)
    return Result(
        status=ExitStatus.FINDINGS,
        lines=tuple(clean_line(line) for line in lines),
        staples=staple_file.standing(chains, present),
        outcome="failed",
        extra={"judgement": describe.judgement(result, clock())}
        | ({"only_singly": alone} if len(chains) > 1 else {}),
    )
