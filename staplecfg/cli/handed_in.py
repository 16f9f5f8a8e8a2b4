"""Responses that the user hands in: found to be about something, judged, kept."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from staplecfg.cli.clock import clock
from staplecfg.cli.output import renewals
from staplecfg.loading.observe import store_of
from staplecfg.machine.disk import Disk
from staplecfg.model.chain import Chain
from staplecfg.model.errors import NotApplied, NotUnderstood
from staplecfg.model.source import Location
from staplecfg.model.verdict import Good
from staplecfg.pki.speaks_of import serials, speaks_of
from staplecfg.staples.hand_in import hand_in, note_alone
from staplecfg.staples.store import Kept

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Mapping, Sequence

    from staplecfg.applying.report import Steps
    from staplecfg.model.facts import Facts
    from staplecfg.model.settings import Settings
    from staplecfg.staples.renew import Renewal


HANDED_IN = "handed in"


@dataclass(frozen=True, slots=True)
class Response:
    """A file as it was read; what it is worth is not known yet."""

    path: PurePosixPath
    der: bytes


def add_responses(group: argparse._ArgumentGroup) -> None:
    """Add `--response`."""
    group.add_argument(
        "--response",
        dest="responses",
        metavar="FILE",
        action="append",
        default=[],
        help="hand in an OCSP response (DER); judged like a fetched one; may be repeated",
    )


def responses_of(options: argparse.Namespace) -> tuple[Response, ...]:
    """Return what `--response` names; raises `Unreadable`."""
    here = Disk(Path("/"))
    paths = [PurePosixPath(Path(each).absolute()) for each in options.responses]
    return tuple(Response(path, here.read(path)) for path in paths)


def known_chains(facts: Facts) -> tuple[Chain, ...]:
    """Return every certificate in the configuration of `facts`, whoever configured its site."""
    found = {
        chain.fingerprint: chain for chain in facts.chains.values() if isinstance(chain, Chain)
    }
    return tuple(found.values())


def handed_in(
    responses: Sequence[Response],
    chains: Sequence[Chain],
    settings: Settings,
    steps: Steps,
    *,
    together: Iterable[Sequence[Chain]] = (),
    others: bool = False,
) -> tuple[Renewal, ...]:
    """Judge and keep each of `responses` for those of `chains` it is about. The lock is held.

    For each group of `together` one response about all of it is better than one about each.
    Where there are `others`, what is about none of `chains` is passed over.
    Raises `NotUnderstood` for what is no response and `NotApplied` for one that
    is about none of `chains`, before anything is kept.
    """
    pairs = [(each, chain) for each in responses for chain in _about(each, chains, others)]
    store = store_of(settings)
    groups = [tuple(group) for group in together]
    groups_of: dict[str, list[Sequence[Chain]]] = {}
    for group in groups:
        for chain in group:
            groups_of.setdefault(chain.fingerprint, []).append(group)
    done: list[Renewal] = []
    for response, chain in pairs:
        among = groups_of.get(chain.fingerprint, ())
        renewal = hand_in(response.der, chain, store, now=clock(), settings=settings, groups=among)
        steps.add(HANDED_IN, chain.path, f"{response.path}: {renewals.detail(renewal)}")
        done.append(renewal)
    good = {each.chain.fingerprint for each in done if isinstance(each.outcome, Good | Kept)}
    for group in groups:
        if good.issuperset(chain.fingerprint for chain in group):
            note_alone(group, store, now=clock(), settings=settings)
    return tuple(done)


def left_over(responses: Sequence[Response], steps: Iterable[Mapping[str, str]]) -> tuple[str, ...]:
    """Return which of `responses` were handed in to no server, going by the `steps` of all."""
    taken = [each["detail"] for each in steps if each["name"] == HANDED_IN]
    return tuple(
        f"{response.path}: it is about no certificate that is configured here"
        for response in responses
        if not any(detail.startswith(f"{response.path}: ") for detail in taken)
    )


def _about(
    response: Response,
    chains: Sequence[Chain],
    others: bool,  # noqa: FBT001 - one caller, above
) -> tuple[Chain, ...]:
    at = Location(response.path)
    try:
        found = speaks_of(response.der, chains)
        if found or others:
            return found
        told = ", ".join(f"{serial:x}" for serial in serials(response.der)) or "none"
    except NotUnderstood as error:
        raise NotUnderstood(error.problem, at=at, hint=error.hint) from None
    raise NotApplied(
        f"it is about no certificate that is configured here (it has answers about serial {told})",
        at=at,
        hint=_hint(response, chains),
        state="nothing was changed",
    )


def _hint(response: Response, chains: Sequence[Chain]) -> str:
    about = serials(response.der)
    namesake = next((chain for chain in chains if chain.serial in about), None)
    if namesake is not None and namesake.issuer is None:
        return f"{namesake.path} has that serial; its issuer is not known: put it into the file"
    if namesake is not None:
        return f"{namesake.path} has that serial, but of another issuer"
    return "`staplecfg status` lists the serials in use; --certificate FILE names one to come"
