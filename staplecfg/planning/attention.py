"""What condition the staples in use are in, and which of them need a person.

`warm` and `status` end in 1 by the same words: these.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import TYPE_CHECKING

from staplecfg.checks.in_store import expiring
from staplecfg.checks.subjects import chains_of
from staplecfg.checks.wording import moment
from staplecfg.model.chain import NoChain
from staplecfg.model.facts import Attempts, Stored
from staplecfg.model.plan import Decision
from staplecfg.model.staple import Freshness
from staplecfg.planning import looking
from staplecfg.planning.choose import askable
from staplecfg.planning.early import early

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from staplecfg.model.chain import Chain
    from staplecfg.model.facts import Facts
    from staplecfg.model.looks import Looks
    from staplecfg.model.plan import SitePlan
    from staplecfg.model.site import Site

SAID_AGAIN = timedelta(days=1)
"""How often what has not changed is said again by a run that nobody may be reading."""


class Condition(Enum):
    """Where in its life a staple is, or why there is none; named in JSON and in metrics."""

    FRESH = "fresh"
    DUE = "due"
    """Past half of its life: the next run renews it."""
    EXPIRING = "expiring"
    """Under a quarter of its life left: renewing has failed for long."""
    EXPIRED = "expired"
    """Withdrawn: it has ended, or would before anybody looks again."""
    MISSING = "missing"
    REVOKED = "revoked"
    """Whatever staple there is: the issuer has taken the certificate back."""
    UNANSWERED = "no-responder"
    """Nobody can be asked, and the certificate demands no staple: nothing is wrong."""


ALIVE = {Condition.FRESH, Condition.DUE, Condition.EXPIRING}


@dataclass(frozen=True, slots=True)
class InUse:
    """A certificate that sites of ours present, what became of its staple, and what to do.

    `problem` is for a person, fits after a colon, and is None where nobody is needed.
    """

    chain: Chain
    sites: tuple[Site, ...]
    condition: Condition
    problem: str | None
    stored: Stored
    attempts: Attempts


def in_use(sites: Iterable[SitePlan], facts: Facts) -> tuple[InUse, ...]:
    """Return every certificate of the sites that are configured, each certificate once.

    Where a server fetches by itself, what it has is its own affair.
    """
    users: dict[str, tuple[Chain, list[Site]]] = {}
    for each in sites:
        if each.decision is Decision.CONFIGURED and not each.fetched:
            for chain in chains_of(each.site, facts):
                users.setdefault(chain.fingerprint, (chain, []))[1].append(each.site)
    looks = looking.in_effect(facts)
    return tuple(_in_use(chain, tuple(found), facts, looks) for chain, found in users.values())


def unusable(sites: Iterable[SitePlan], facts: Facts) -> tuple[NoChain, ...]:
    """Return the certificates of configured sites that cannot be used, each once.

    Nothing is known of them, so no staple is served with them: a person is needed.
    """
    configured = [each.site for each in sites if each.decision is Decision.CONFIGURED]
    paths = dict.fromkeys(one.path for site in configured for one in site.certificates)
    found = (facts.chains.get(path) for path in paths if path is not None)
    return tuple(chain for chain in found if isinstance(chain, NoChain))


def said_of(certificate: NoChain) -> str:
    """Return what is wrong with a certificate that cannot be used, in words."""
    return f"{certificate.path}: cannot be used, so no staple is served: {certificate.problem}"


def news(each: InUse, now: datetime) -> bool:
    """Say whether what `each` needs a person for has not been said within the last day."""
    tries = each.attempts
    if each.problem is None:
        return False
    if tries.told != each.condition.value or tries.told_at is None:
        return True
    return not timedelta(0) <= now - tries.told_at < SAID_AGAIN


def _in_use(chain: Chain, sites: tuple[Site, ...], facts: Facts, looks: Looks) -> InUse:
    stored = facts.stored.get(chain.fingerprint, Stored(None))
    tries = facts.attempts.get(chain.fingerprint, Attempts(chain.fingerprint))
    condition = _condition(chain, stored, tries, facts)
    problem = _problem(condition, chain, stored, tries, facts.now)
    if condition in ALIVE and stored.staple is not None:
        ending = early(stored.staple, sites, facts, looks)
        condition, problem = (Condition.EXPIRED, ending) if ending else (condition, problem)
    return InUse(chain, sites, condition, problem, stored, tries)


def _condition(chain: Chain, stored: Stored, tries: Attempts, facts: Facts) -> Condition:
    staple = stored.staple
    if tries.revoked_at is not None:
        return Condition.REVOKED
    if staple is None:
        nobody = not askable(chain, facts.settings) and not chain.must_staple
        return Condition.UNANSWERED if nobody else Condition.MISSING
    freshness = staple.freshness(facts.now)
    if freshness is Freshness.EXPIRED:
        return Condition.EXPIRED
    if expiring(staple, facts):
        return Condition.EXPIRING
    return Condition.DUE if freshness is Freshness.DUE else Condition.FRESH


def _problem(
    condition: Condition, chain: Chain, stored: Stored, tries: Attempts, now: datetime
) -> str | None:
    ends = "" if stored.staple is None else moment(stored.staple.expires)
    if condition is Condition.REVOKED:
        at = "" if tries.revoked_at is None else f" at {moment(tries.revoked_at)}"
        served = stored.staple is not None and stored.staple.expires > now
        last = f"; its last good staple is served until {ends}" if served else ""
        return f"revoked{at}: replace the certificate and its key{last}"
    if condition is Condition.MISSING:
        return _missing(chain, stored)
    if condition is Condition.EXPIRED:
        return f"its staple expired at {ends} and is withdrawn"
    if condition is Condition.EXPIRING:
        return f"its staple ends at {ends} and was not renewed"
    return None


def _missing(chain: Chain, stored: Stored) -> str:
    if stored.problem is not None:
        return f"there is no staple that could be served: {stored.problem}"
    if not chain.responders:
        return "it demands a staple (RFC 7633) and names no responder: have it reissued"
    return "there is no staple, so none is served"
