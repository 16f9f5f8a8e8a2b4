"""A response somebody hands over: judged like one that was fetched, and kept like one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from staplecfg.model.facts import Attempts, Stored
from staplecfg.model.verdict import Good, Reason, Rejected
from staplecfg.pki.judge import Purpose, judge
from staplecfg.staples.renew import Renewal
from staplecfg.staples.revocation import after_revocation
from staplecfg.staples.store import Kept

if TYPE_CHECKING:
    from datetime import datetime

    from staplecfg.model.chain import Chain
    from staplecfg.model.settings import Settings
    from staplecfg.model.verdict import FetchResult
    from staplecfg.staples.store import Store


def hand_in(
    der: bytes, chain: Chain, store: Store, *, now: datetime, settings: Settings
) -> Renewal:
    """Judge `der` about the leaf of `chain` and keep it in `store` if it is good and no worse.

    One that says revoked is believed, for its signature was verified: it is
    noted and never kept. Any other rejection says something of the response
    alone and is not noted. The lock must be held. Raises `ValueError` where the
    issuer of `chain` is not known, `NotApplied` where `store` cannot be written.
    """
    if chain.issuer is None:
        raise ValueError("nothing can be judged without the issuer")
    before = store.attempts(chain.fingerprint)
    stored = store.load(chain, now)
    judgement = judge(
        der,
        chain.leaf,
        chain.issuer,
        now=now,
        floors=settings.floors,
        purpose=Purpose.NEW,
        allow_sha1=settings.responders.allow_sha1_signature,
        replaces=stored.staple,
    )
    result = after_revocation(judgement, before)
    if not isinstance(result, Good):
        _note(result, before, store, now)
        return Renewal(chain, result, stored)
    saving = store.save(result.staple, chain, now=now)
    _note(result, before, store, now)
    if isinstance(saving, Kept):
        return Renewal(chain, saving, Stored(saving.staple))
    return Renewal(chain, result, Stored(result.staple))


def _note(result: FetchResult, before: Attempts, store: Store, now: datetime) -> None:
    if isinstance(result, Good):
        # What the failures were about is over; when somebody was last asked is not.
        noted = Attempts(
            before.fingerprint,
            last_try=before.last_try,
            last_success=before.last_success,
            url=before.url,
        )
    elif isinstance(result, Rejected) and result.reason is Reason.REVOKED:
        noted = replace(before, revoked_at=result.revoked_at or now, error=result.problem)
    else:
        return
    if noted != before:
        store.record(noted)
