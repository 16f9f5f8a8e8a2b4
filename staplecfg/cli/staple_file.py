"""FILE, where fetch leaves a staple: what it holds, and putting a better one in its place."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from staplecfg.cli.clock import clock
from staplecfg.cli.output import describe
from staplecfg.cli.output.clean import clean_line
from staplecfg.cli.output.file import write_whole
from staplecfg.cli.output.result import Result
from staplecfg.machine.disk import Disk
from staplecfg.model.change import Change, Content, Kind
from staplecfg.model.errors import NotApplied, UsageProblem
from staplecfg.model.facts import Attempts, Stored
from staplecfg.model.source import Location
from staplecfg.model.verdict import Good
from staplecfg.pki.about import about
from staplecfg.pki.judge import Purpose, judge

if TYPE_CHECKING:
    from collections.abc import Mapping

    from staplecfg.model.chain import Chain
    from staplecfg.model.settings import Settings
    from staplecfg.model.staple import Staple


def held(path: Path) -> bytes | None:
    """Return what is in `path`, None where it is not there; raises `Unreadable`."""
    disk = Disk(Path("/"))
    absolute = PurePosixPath(path.absolute())
    return disk.read(absolute) if disk.exists(absolute) else None


def present(path: Path, data: bytes, chain: Chain, wanted: Settings) -> Staple | None:
    """Return the staple in the `data` of `path`, if it is one for `chain`."""
    absolute = PurePosixPath(path.absolute())
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


def require_directory(directory: Path) -> None:
    """Raise `NotApplied` where there is no `directory`."""
    if not directory.is_dir():
        raise NotApplied(
            "there is no such directory to write into",
            at=Location(PurePosixPath(directory)),
            hint="make it first, or name another file with --output",
        )


def keep(chain: Chain, staple: Staple, before: bytes | None, path: Path) -> Result:
    """Put `staple` into `path`, which held `before`; raises `NotApplied`, the file as it was."""
    write_whole(path.resolve(), staple.der)
    old = None if before is None else Content(before)
    real = PurePosixPath(path.resolve())
    return Result(
        lines=(clean_line(f"{path}: {_good(staple)}, signed by {staple.signer}"),),
        changed=True,
        changes=(Change(real, Kind.STAPLE, old, Content(staple.der)),),
        staples=standing(chain, staple),
        warnings=staple.warnings,
        extra={"judgement": describe.judgement(Good(staple), clock())},
    )


def as_it_is(chain: Chain, staple: Staple, path: Path) -> Result:
    """Return that `path` holds `staple` already."""
    return Result(
        lines=(clean_line(f"{path}: already holds a staple {_good(staple)}"),),
        staples=standing(chain, staple),
        outcome="unchanged",
        extra={"judgement": describe.judgement(Good(staple), clock())},
    )


def standing(chain: Chain, staple: Staple | None) -> tuple[Mapping[str, object], ...]:
    """Return how things stand with the leaf of `chain`, as the schema has it."""
    nobody = Attempts(chain.fingerprint)
    return (describe.stored(chain, Stored(staple), nobody, clock()),)


def _good(staple: Staple) -> str:
    return f"good until {staple.expires:%Y-%m-%d %H:%M} UTC"
