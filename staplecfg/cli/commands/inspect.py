"""inspect: show a response and judge it; exit 0 only if it may be stapled."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timezone
from enum import Enum
from typing import TYPE_CHECKING

from staplecfg.cli.clock import clock
from staplecfg.cli.leaf import add_certificate, chain_of, content
from staplecfg.cli.options import add_frame, add_trust, settings
from staplecfg.cli.output import describe
from staplecfg.cli.output.clean import clean_line
from staplecfg.cli.output.json import time
from staplecfg.cli.output.result import Result
from staplecfg.model.errors import ExitStatus, NotUnderstood, UsageProblem
from staplecfg.model.source import Location
from staplecfg.model.verdict import Good
from staplecfg.pki.about import about
from staplecfg.pki.judge import Purpose, judge

if TYPE_CHECKING:
    import argparse

    from staplecfg.model.verdict import Judgement
    from staplecfg.pki.about import About

EPILOG = (
    "example:  staplecfg inspect staple.der --certificate fullchain.pem --at 2026-12-24T18:00:00Z"
)

EARLIEST, LATEST = 1970, 9000
"""Years; with others, times a little earlier or later could not be reckoned with."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the response, the certificate it is about, and the time to judge it at."""
    parser.add_argument("response", metavar="RESPONSE", help="DER file of an OCSP response")
    add_certificate(parser, positional=False)
    parser.add_argument("--at", metavar="TIME", help="judge as of then (RFC 3339; default: now)")
    group = parser.add_argument_group("trust")
    group.add_argument("--settings", metavar="FILE", help="settings file (TOML)")
    add_trust(group)
    add_frame(parser)


def run(options: argparse.Namespace) -> Result:
    """Decode and judge; exit status 1 where it may not be stapled."""
    wanted = settings(options)
    now = clock() if options.at is None else moment(options.at)
    der = content(options.response, "the DER file of a response")
    chain = chain_of(options, wanted)
    if chain.issuer is None:
        raise NotUnderstood(
            "the certificate's issuer is not known, so nothing can be judged",
            at=Location(chain.path),
            hint="name it with --issuer FILE, or put it into the file after the certificate",
        )
    judged = judge(
        der,
        chain.leaf,
        chain.issuer,
        now=now,
        floors=wanted.floors,
        purpose=Purpose.SERVED,
        allow_sha1=wanted.responders.allow_sha1_signature,
    )
    decoded = about(der)
    return Result(
        status=ExitStatus.DONE if isinstance(judged, Good) else ExitStatus.FINDINGS,
        lines=(*_shown(decoded), "", _verdict(judged, now)),
        warnings=judged.staple.warnings if isinstance(judged, Good) else (),
        extra={"response": _plain(asdict(decoded)), "judgement": describe.judgement(judged, now)},
    )


def moment(text: str) -> datetime:
    """Return the time `text` (RFC 3339; without an offset it is UTC); raises `UsageProblem`."""
    try:
        read = datetime.fromisoformat(text.replace("Z", "+00:00").replace("z", "+00:00"))
    except ValueError:
        raise UsageProblem(
            f"--at takes a time such as 2026-12-24T18:00:00Z, not '{text}'"
        ) from None
    if not EARLIEST <= read.year <= LATEST:
        raise UsageProblem(f"--at takes a time from {EARLIEST} to {LATEST}, not '{text}'")
    return read if read.tzinfo else read.replace(tzinfo=timezone.utc)


def _verdict(judged: Judgement, now: datetime) -> str:
    at = time(now)
    if isinstance(judged, Good):
        return f"may be stapled at {at}: good until {time(judged.staple.expires)}"
    return clean_line(f"may not be stapled at {at}: {judged.problem} (step {judged.step})")


def _shown(decoded: About) -> list[str]:
    lines = [f"response status   {decoded.response_status or 'not a response'}"]
    if decoded.problem:
        lines.append(f"trouble           {decoded.problem}")
    if decoded.responder is None:
        return lines
    lines += [
        f"responder         {decoded.responder}",
        f"produced at       {time(decoded.produced_at) or 'no time'}",
        f"signed with       {decoded.signature_algorithm}",
        *(f"certificate       {subject}" for subject in decoded.certificates),
        *(f"extension         {extension}" for extension in decoded.extensions),
    ]
    for answer in decoded.answers:
        lines += [
            "",
            f"serial            {answer.serial:x}",
            f"  status          {answer.status.value}",
            f"  CertID          {answer.hash_algorithm}",
            f"  issuer          name {answer.issuer_name_hash} key {answer.issuer_key_hash}",
            f"  this update     {time(answer.this_update) or 'no time'}",
            f"  next update     {time(answer.next_update) or 'none'}",
        ]
        if answer.revoked_at is not None:
            reason = f" ({answer.revocation_reason})" if answer.revocation_reason else ""
            lines.append(f"  revoked         {time(answer.revoked_at)}{reason}")
        lines += [f"  odd time        {text}" for text in answer.odd_times]
        lines += [f"  extension       {extension}" for extension in answer.extensions]
    return [clean_line(line) for line in lines]


def _plain(value: object) -> object:
    """Return `value` in JSON's terms; serials as hex, for they exceed what JSON readers hold."""
    if isinstance(value, dict):
        return {
            key: f"{item:x}" if key == "serial" else _plain(item) for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value.value if isinstance(value, Enum) else value
