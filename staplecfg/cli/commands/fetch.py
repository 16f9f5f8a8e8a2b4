"""fetch: one judged staple into a file; no server is needed."""

from __future__ import annotations

import sys
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from staplecfg.cli.clock import clock
from staplecfg.cli.leaf import add_certificate, chain_of
from staplecfg.cli.options import add_frame, add_trust, settings
from staplecfg.cli.output import describe
from staplecfg.cli.output.clean import clean_line
from staplecfg.cli.output.file import write_whole
from staplecfg.cli.output.result import Result
from staplecfg.loading import certificates
from staplecfg.machine.disk import Disk
from staplecfg.model.errors import ExitStatus, NotApplied, UsageProblem
from staplecfg.model.source import Location
from staplecfg.model.verdict import Good, Rejected
from staplecfg.pki.about import about
from staplecfg.pki.judge import Purpose, judge
from staplecfg.staples.fetch import fetch

if TYPE_CHECKING:
    import argparse

    from staplecfg.model.chain import Chain
    from staplecfg.model.settings import Settings
    from staplecfg.model.staple import Staple
    from staplecfg.model.verdict import FetchResult

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
    add_frame(parser)


def run(options: argparse.Namespace) -> Result:
    """Fetch and judge, and write only what is good and no worse than what FILE holds."""
    wanted = settings(options)
    if options.output == STDOUT and (options.format == "json" or sys.stdout.isatty()):
        raise UsageProblem(
            "`--output -` writes DER, which neither a terminal nor a JSON document can hold",
            hint="name a file",
        )
    chain = chain_of(options, wanted)
    present = None if options.output == STDOUT else _present(Path(options.output), chain, wanted)
    if options.output != STDOUT:
        _require_directory(Path(options.output).resolve().parent)
    here = Disk(Path("/"))
    roots = certificates.trusted_roots(here, wanted.trust)
    result = fetch(
        chain,
        clock=clock,
        settings=wanted.responders,
        floors=wanted.floors,
        private=certificates.private(chain, roots, clock()),
        replaces=present,
    )
    if not isinstance(result, Good):
        return _failed(result, chain, options.output, present)
    if options.output == STDOUT:
        return Result(data=result.staple.der)
    return _keep(result.staple, present, Path(options.output))


def _present(path: Path, chain: Chain, wanted: Settings) -> Staple | None:
    """Return the staple that `path` holds already, if it is one for `chain`."""
    disk = Disk(Path("/"))
    absolute = PurePosixPath(path.absolute())
    if not disk.exists(absolute):
        return None
    data = disk.read(absolute)
    if chain.issuer is None:
        return None
    judged = judge(
        data,
        chain.leaf,
        chain.issuer,
        now=clock(),
        floors=wanted.floors,
        purpose=Purpose.KEPT,
        allow_sha1=wanted.responders.allow_sha1_signature,
    )
    if isinstance(judged, Good):
        return judged.staple
    if data and about(data).response_status is None:
        raise UsageProblem(
            "is there and is no OCSP response; it is not overwritten",
            at=Location(absolute),
            hint="name another file with --output",
        )
    return None


def _require_directory(directory: Path) -> None:
    if not directory.is_dir():
        raise NotApplied(
            "there is no such directory to write into",
            at=Location(PurePosixPath(directory)),
            hint="make it first, or name another file with --output",
        )


def _keep(staple: Staple, present: Staple | None, path: Path) -> Result:
    good = f"good until {staple.expires:%Y-%m-%d %H:%M} UTC"
    body = {"judgement": describe.judgement(Good(staple), clock())}
    if present is not None and present.der == staple.der:
        return Result(
            lines=(clean_line(f"{path}: already this staple, {good}"),),
            outcome="unchanged",
            extra=body,
        )
    write_whole(path.resolve(), staple.der)
    return Result(
        lines=(clean_line(f"{path}: {good}, signed by {staple.signer}"),),
        changed=True,
        warnings=staple.warnings,
        extra=body,
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
        outcome="failed",
        extra={"judgement": describe.judgement(result, clock())},
    )
