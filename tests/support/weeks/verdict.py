"""What each visitor was handed, judged by what the responder wrote down, and by nothing of ours.

To go without is excused only where it could not be otherwise: while the responder
was out and none of the answers that it had given was good for all certificates of
the block, and until `warm` has run after that.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import ocsp

from tests.support.weeks.responder import Interval

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cryptography.x509 import Certificate

    from tests.support.weeks.responder import Answer
    from tests.support.weeks.visits import Visit

EARLY = 4 + 4 / 6 + 4
"""Seconds before its end at which a staple is taken out of service: what the settings say of the
schedule (docs/schedule.md), its interval, a sixth of it, and what a run takes."""
RUN = 4.0
"""Seconds that a run may take, as the settings say."""
BACKOFF = 2.0
"""Seconds after a failure in which nobody is asked again, as the settings say."""
RECOVERY = 15.0
"""Seconds after an outage in which a run of `warm` that asks again must have begun."""


class Seen(Enum):
    """What a visitor was handed; only the first three are as they should be.

    LATE is expired too, but nobody's fault except the machine's: it kept every run of
    `warm` that should have withdrawn the staple for longer than a run may take.
    """

    STAPLED = "stapled"
    IMPOSSIBLE = "none, and none could be"
    LATE = "expired, the machine being late"
    UNSTAPLED = "unstapled"
    EXPIRED = "expired"
    WRONG = "wrong"
    REFUSED = "refused"


@dataclass(frozen=True)
class Reading:
    """What a staple says of one leaf; `problem` where no client would take its word, else empty."""

    problem: str = ""
    begins: float = 0.0
    ends: float = 0.0


@dataclass(frozen=True)
class Done:
    """When `warm` ran that looks after everything, and when that or anything else was done."""

    runs: Sequence[Interval] = ()
    every: Sequence[Interval] = ()


def judged(visit: Visit, leaf: Reading | None, bare: Sequence[Interval], done: Done) -> Seen:
    """Say what `visit` came to.

    `leaf` is how its staple reads, `bare` when there could be none for its certificate.
    """
    if visit.leaf is None or visit.problem:
        return Seen.REFUSED
    if leaf is None:
        excused = any(each.begins <= visit.ends and visit.begins <= each.ends for each in bare)
        return Seen.IMPOSSIBLE if excused else Seen.UNSTAPLED
    if leaf.problem or leaf.begins > visit.ends:
        return Seen.WRONG
    if leaf.ends > visit.begins:
        return Seen.STAPLED
    return Seen.LATE if late(leaf.ends, done) else Seen.EXPIRED


def late(end: float, done: Done) -> bool:
    """Say whether no run had the time to withdraw what ended at `end`, for something took long."""
    if any(end - EARLY <= each.begins and each.ends <= end for each in done.runs):
        return False
    near = [each for each in done.every if each.begins < end and each.ends > end - EARLY]
    return any(each.ends - each.begins > RUN for each in near)


def read(staple: bytes, leaf: Certificate, issuer: Certificate) -> Reading:
    """Read `staple` as a client that got it with `leaf` would."""
    try:
        response = ocsp.load_der_ocsp_response(staple)
        status = response.response_status
        if status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
            return Reading(f"it is an error: {status.name}")
        _verify(response, issuer)
        return _about(leaf, response)
    except InvalidSignature:
        return Reading("its signature is not the issuer's")
    except ValueError as error:
        return Reading(f"it is no response: {error}")


def _verify(response: ocsp.OCSPResponse, issuer: Certificate) -> None:
    key, digest = issuer.public_key(), response.signature_hash_algorithm
    assert isinstance(key, ec.EllipticCurvePublicKey), "the laboratory's authority has such"
    assert digest is not None
    key.verify(response.signature, response.tbs_response_bytes, ec.ECDSA(digest))


def _about(leaf: Certificate, response: ocsp.OCSPResponse) -> Reading:
    found = [each for each in response.responses if each.serial_number == leaf.serial_number]
    if len(found) != 1:
        return Reading("it is about another certificate")
    (single,) = found
    if single.certificate_status is not ocsp.OCSPCertStatus.GOOD:
        return Reading(f"it says {single.certificate_status.name}")
    if single.next_update_utc is None:
        return Reading("it never ends")
    return Reading("", single.this_update_utc.timestamp(), single.next_update_utc.timestamp())


def without(
    block: frozenset[int],
    answers: Iterable[Answer],
    outages: Iterable[Interval],
    deployed: float = 0.0,
) -> list[Interval]:
    """Return when `block` (serials) had to go without: the responder out, and no answer good.

    Not before it was `deployed`: an outage before that is no excuse.
    """
    good = sorted((each.at, each.ends - EARLY) for each in answers if block <= each.serials)
    found: list[Interval] = []
    for outage in outages:
        since = max(outage.begins, deployed)
        for at, until in good:
            if at > since:
                break
            since = max(since, until)
        if since < outage.ends:
            found.append(Interval(since, outage.ends))
    return found


def recovered(intervals: Iterable[Interval], runs: Sequence[Interval]) -> list[Interval]:
    """Return `intervals` of going without, each until the first run that had to ask has ended."""
    return [Interval(each.begins, _served_again(each.ends, runs)) for each in intervals]


def _served_again(end: float, runs: Sequence[Interval]) -> float:
    asking = [each for each in runs if end + BACKOFF <= each.begins <= end + RECOVERY]
    return min((each.ends for each in asking), default=end + RECOVERY)
