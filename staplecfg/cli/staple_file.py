"""FILE, where fetch leaves a staple: what it holds, and putting a better one in its place."""

from __future__ import annotations

from itertools import zip_longest
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
from staplecfg.model.verdict import Good, Rejected
from staplecfg.pki.about import about
from staplecfg.pki.judge import Purpose, judge

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from staplecfg.model.chain import Chain
    from staplecfg.model.settings import Settings
    from staplecfg.model.staple import Staple


def held(path: Path) -> bytes | None:
    """Return what is in `path`, None where it is not there; raises `Unreadable`."""
    disk = Disk(Path("/"))
    absolute = PurePosixPath(path.absolute())
    return disk.read(absolute) if disk.exists(absolute) else None


def about_all(
    der: bytes,
    chains: Sequence[Chain],
    wanted: Settings,
    *,
    replaces: Sequence[Staple] = (),
    purpose: Purpose = Purpose.NEW,
) -> tuple[Staple, ...] | Rejected:
    """Return what `der` says of each of `chains`, or why it is not good about all of them.

    Their issuers must be known. `replaces` is what it would take the place of.
    """
    found: list[Staple] = []
    for chain, older in zip_longest(chains, replaces):
        assert chain.issuer is not None  # noqa: S101 - tells mypy what callers have seen to
        judgement = judge(
            der,
            chain.leaf,
            chain.issuer,
            now=clock(),
            floors=wanted.floors,
            purpose=purpose,
            allow_sha1=wanted.responders.allow_sha1_signature,
            replaces=older,
        )
        if isinstance(judgement, Rejected):
            return judgement
        found.append(judgement.staple)
    return tuple(found)


def present(
    path: Path, data: bytes, chains: Sequence[Chain], wanted: Settings
) -> tuple[Staple, ...]:
    """Return what the `data` of `path` say of each of `chains`; nothing if not good about all.

    Raises `UsageProblem` for what is no OCSP response: that is somebody's.
    """
    if any(chain.issuer is None for chain in chains):
        return ()
    found = about_all(data, chains, wanted, purpose=Purpose.KEPT)
    if not isinstance(found, Rejected):
        return found
    if data and about(data).response_status is None:
        raise UsageProblem(
            "is there and is no OCSP response; it is not overwritten",
            at=Location(PurePosixPath(path.absolute())),
            hint="name another file with --output",
        )
    return ()


def require_directory(directory: Path) -> None:
    """Raise `NotApplied` where there is no `directory`."""
    if not directory.is_dir():
        raise NotApplied(
            "there is no such directory to write into",
            at=Location(PurePosixPath(directory)),
            hint="make it first, or name another file with --output",
        )


def keep(
    chains: Sequence[Chain], staples: Sequence[Staple], before: bytes | None, path: Path
) -> Result:
    """Put the response of `staples` into `path`, which held `before`.

    Raises `NotApplied`, the file as it was.
    """
    staple = _first_to_end(staples)
    write_whole(path.resolve(), staple.der)
    old = None if before is None else Content(before)
    real = PurePosixPath(path.resolve())
    return Result(
        lines=(clean_line(f"{path}: {_good(staple)}, signed by {staple.signer}"),),
        changed=True,
        changes=(Change(real, Kind.STAPLE, old, Content(staple.der)),),
        staples=standing(chains, staples),
        warnings=staple.warnings,
        extra={"judgement": describe.judgement(Good(staple), clock())},
    )


def as_it_is(chains: Sequence[Chain], staples: Sequence[Staple], path: Path) -> Result:
    """Return that `path` holds the response of `staples` already."""
    staple = _first_to_end(staples)
    return Result(
        lines=(clean_line(f"{path}: already holds a staple {_good(staple)}"),),
        staples=standing(chains, staples),
        outcome="unchanged",
        extra={"judgement": describe.judgement(Good(staple), clock())},
    )


def standing(
    chains: Sequence[Chain], staples: Sequence[Staple]
) -> tuple[Mapping[str, object], ...]:
    """Return how things stand with each of `chains`, of which there are `staples` or none."""
    return tuple(
        describe.stored(chain, Stored(staple), Attempts(chain.fingerprint), clock())
        for chain, staple in zip_longest(chains, staples)
    )


def _first_to_end(staples: Sequence[Staple]) -> Staple:
    """Return the one that speaks for a response: a server can use it no longer."""
    return min(staples, key=lambda staple: staple.expires)


def _good(staple: Staple) -> str:
    return f"good until {staple.expires:%Y-%m-%d %H:%M} UTC"
