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
OWN = 10.0
"""Seconds that a run takes by itself at most, busy disks and all: it goes through three servers,
and for each it may wait for a silent responder. One that takes longer is itself to blame."""
KEPT = 1.0
"""Seconds that the machine must have taken from a run before it can be to blame."""
BACKOFF = 2.0
"""Seconds after a failure in which nobody is asked again, as the settings say."""
RECOVERY = 15.0
"""Seconds in which a run of `warm` must have begun that asks again."""


class Seen(Enum):
    """What a visitor was handed; only the first three are as they should be.

    LATE is expired too, but nobody's fault except the machine's: a run of `warm` that
    should have withdrawn the staple had to wait for a processor, and would else have
    been in time. One that takes long by itself is no excuse.
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
class Run(Interval):
    """A run of `warm`, of which the machine took `kept_waiting` seconds."""

    kept_waiting: float = 0.0

    @property
    def own(self) -> float:
        """How many seconds it took by itself."""
        return self.ends - self.begins - self.kept_waiting

    @property
    def due(self) -> float:
        """When it had to have ended."""
        return self.begins + OWN + self.kept_waiting


@dataclass(frozen=True)
class Done:
    """When `warm` ran that looks after everything; `turns` are those and what they waited for.

    `every` are those, too, that were about a certificate to come.
    """

    runs: Sequence[Run] = ()
    turns: Sequence[Run] = ()
    every: Sequence[Run] = ()


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
    """Say whether no run could withdraw in time what ended at `end`, for the machine was late."""
    if any(end - EARLY <= each.begins and each.ends <= end for each in done.runs):
        return False
    near = [each for each in done.turns if each.begins < end and each.ends > end - EARLY]
    too_long = [each for each in near if each.ends - each.begins > RUN]
    kept = any(each.kept_waiting >= KEPT for each in too_long)
    return kept and all(each.own <= OWN for each in near)


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


def recovered(intervals: Iterable[Interval], done: Done, deployed: float = 0.0) -> list[Interval]:
    """Return `intervals` of going without, each until the first run that had to ask has ended.

    That is one that knew the certificate, for it had been `deployed`, and that began when
    the last failure had been waited out: who asked when the responder came back may have
    failed a little later.
    """
    return [Interval(each.begins, _served_again(each.ends, done, deployed)) for each in intervals]


def _served_again(end: float, done: Done, deployed: float) -> float:
    failed = [min(each.ends, each.due) for each in done.every if each.begins < end < each.ends]
    since = max(end, *failed) if failed else end
    first = max(since + BACKOFF, deployed)
    asking = [each for each in done.runs if first <= each.begins <= first + RECOVERY]
    return min((min(each.ends, each.due) for each in asking), default=first + RECOVERY)
