"""When to ask about a certificate again. Pure: everything it goes by is handed in."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from datetime import datetime

    from staplecfg.model.chain import Chain
    from staplecfg.model.facts import Attempts, Stored
    from staplecfg.model.settings import Floors
    from staplecfg.model.staple import Staple

JITTER = 0.1
"""Share of a wait by which certificates differ, so that they do not all ask at once."""
LONGEST_WAIT = timedelta(days=1)
"""A later "do not ask before" is a clock that was wrong, not a responder's wish."""


@dataclass(frozen=True, slots=True)
class Due:
    """Ask now; `why` fits after a colon."""

    why: str


@dataclass(frozen=True, slots=True)
class NotDue:
    """Do not ask before `until`; None: not ever, as the certificate stands."""

    until: datetime | None
    why: str


Timing: TypeAlias = "Due | NotDue"


def due(
    stored: Stored,
    attempts: Attempts | None,
    chain: Chain,
    now: datetime,
    floors: Floors,
    *,
    margin: timedelta = timedelta(0),
) -> Timing:
    """Say whether `chain` is to be asked about at `now`.

    At half-life of what is `stored`, a little before (RFC 9919 leaves it open;
    CAs publish the next response by then), or where it is withdrawn before
    that: `margin` ahead of its end. Where a responder still gave the same
    response after that, again at half-life, three quarters and seven eighths,
    never sooner than the floor; after failures as `attempts` say.
    """
    hopeless = never(chain, now)
    if hopeless is not None:
        return hopeless
    backoff = waiting(attempts, now)
    if backoff is not None:
        return backoff
    if stored.staple is None:
        return Due(stored.problem or "there is no staple yet")
    return _by_age(stored.staple, attempts, now, floors, margin)


def impossible(timing: Timing) -> bool:
    """Say whether nobody can ever be asked, as the certificate or the settings stand."""
    return isinstance(timing, NotDue) and timing.until is None


def never(chain: Chain, now: datetime) -> NotDue | None:
    """Say why no responder can be asked about `chain` at `now`, whatever is stored; else None."""
    if not chain.responders:
        return NotDue(None, "the certificate names no responder")
    if now >= chain.not_after:
        return NotDue(None, "the certificate has expired")
    if now < chain.not_before:
        return NotDue(chain.not_before, "the certificate is not valid yet")
    return None


def next_try(
    failures: int,
    chain: Chain,
    *,
    now: datetime,
    floors: Floors,
    wish: datetime | None,
    staple: Staple | None,
) -> datetime:
    """Return when to ask again after `failures` in a row.

    The backoff doubles from failure to failure up to its cap; a responder's
    `wish` (Retry-After) is heard. But never so late that more than half of
    what `staple` has left goes by.
    """
    doubled = floors.first_backoff * (1 << min(max(failures - 1, 0), 16))
    wait = min(doubled, floors.most_backoff) * (1 - JITTER * jitter(chain.serial))
    if wish is not None:
        wait = max(wait, min(wish - now, LONGEST_WAIT))
    if staple is not None and staple.expires > now:
        wait = min(wait, max((staple.expires - now) / 2, floors.first_backoff))
    return now + wait


def renewal_time(staple: Staple) -> datetime:
    """Return when a fresh `staple` falls due: half-life, minus up to a tenth of that wait."""
    return _point(staple, 1 / 2)


def jitter(serial: int) -> float:
    """Return a number from 0 to 1 that is always the same for `serial`."""
    # Hashed, because some CAs count their serials up.
    hashed = hashlib.sha256(str(serial).encode()).digest()
    return int.from_bytes(hashed[:4], "big") / 0xFFFFFFFF


def waiting(attempts: Attempts | None, now: datetime) -> NotDue | None:
    """Return until when a failure that `attempts` tell of is waited out, None where it is not."""
    until = None if attempts is None else attempts.not_before
    if attempts is None or until is None or not now < until <= now + LONGEST_WAIT:
        return None
    return NotDue(until, f"the last try failed ({attempts.error or 'no reason recorded'})")


def _by_age(
    staple: Staple, attempts: Attempts | None, now: datetime, floors: Floors, margin: timedelta
) -> Timing:
    if now >= staple.expires:
        return Due("the staple has expired")
    half = renewal_time(staple)
    first = min(half, max(staple.this_update, staple.expires - margin))
    if now < first:
        return NotDue(first, "the staple is fresh")
    asked = None if attempts is None else attempts.last_success
    if asked is None or not first <= asked <= now:
        past = "the staple is past half of its life"
        return Due(past if now >= half else "the staple ends before the next run could renew it")
    later = [point for share in (1 / 2, 3 / 4, 7 / 8) if asked < (point := _point(staple, share))]
    life = staple.expires - staple.this_update
    floor = asked + min(floors.least_between_tries, life / 4)
    # The last point stands even against the floor: past it there is only expiry.
    until = min(max(later[0], floor), later[-1]) if later else floor
    if now < until:
        return NotDue(until, "the responder has nothing newer yet")
    return Due("the responder had nothing newer the last time")


def _point(staple: Staple, share: float) -> datetime:
    """Return the moment `share` of the life of `staple` is used up, minus its jitter."""
    life = (staple.expires - staple.this_update) * share
    return staple.this_update + life * (1 - JITTER * jitter(staple.serial))
