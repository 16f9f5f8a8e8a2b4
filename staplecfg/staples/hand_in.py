"""A response somebody hands over: judged like one that was fetched, and kept like one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from staplecfg.model.facts import Attempts, Stored
from staplecfg.model.verdict import Good, Reason, Rejected
from staplecfg.pki.in_common import in_common
from staplecfg.pki.judge import Purpose, judge
from staplecfg.staples.renew import Renewal
from staplecfg.staples.revocation import after_revocation
from staplecfg.staples.store import Kept
from staplecfg.staples.together import SHARED_STAYS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from staplecfg.model.chain import Chain
    from staplecfg.model.settings import Settings
    from staplecfg.model.staple import Staple
    from staplecfg.model.verdict import FetchResult
    from staplecfg.staples.store import Store


def hand_in(
    der: bytes,
    chain: Chain,
    store: Store,
    *,
    now: datetime,
    settings: Settings,
    groups: Sequence[Sequence[Chain]] = (),
) -> Renewal:
    """Judge `der` about the leaf of `chain` and keep it in `store` if it is good and no worse.

    One that says revoked is believed, for its signature was verified: it is
    noted and never kept. Any other rejection says something of the response
    alone and is not noted. Where `chain` is in one of `groups`, each of which needs one
    response about all of it, and such a one is kept, none about less takes its place. The
    lock must be held. Raises `ValueError` where the issuer of `chain` is not known,
    `NotApplied` where `store` cannot be written.
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
    shared = any(_common(group, [result.staple], now, settings) for group in groups)
    kept = shared or any(_kept_in_common(group, store, now, settings) for group in groups)
    if stored.staple is not None and kept and not shared:
        return Renewal(chain, Kept(stored.staple, SHARED_STAYS), stored)
    saving = store.save(result.staple, chain, now=now, shared=shared)
    _note(result, replace(before, alone_at=None) if shared else before, store, now)
    if isinstance(saving, Kept):
        return Renewal(chain, saving, Stored(saving.staple))
    return Renewal(chain, result, Stored(result.staple))


def note_alone(group: Sequence[Chain], store: Store, *, now: datetime, settings: Settings) -> None:
    """Note that each of `group` has a response of its own, and no response about all is to be had.

    Whoever handed those in asked for one about all first. Does nothing where one is kept.
    """
    if _kept_in_common(group, store, now, settings):
        return
    for chain in group:
        store.record(replace(store.attempts(chain.fingerprint), alone_at=now))


def _kept_in_common(
    group: Sequence[Chain], store: Store, now: datetime, settings: Settings
) -> bool:
    kept = [store.load(each, now).staple for each in group]
    return bool(_common(group, kept, now, settings))


def _common(
    group: Sequence[Chain], staples: Sequence[Staple | None], now: datetime, settings: Settings
) -> Sequence[Staple]:
    return in_common(
        group,
        staples,
        now=now,
        floors=settings.floors,
        allow_sha1=settings.responders.allow_sha1_signature,
    )


def _note(result: FetchResult, before: Attempts, store: Store, now: datetime) -> None:
    if isinstance(result, Good):
        # What the failures were about is over; when somebody was last asked is not.
        noted = Attempts(
            before.fingerprint,
            last_try=before.last_try,
            last_success=before.last_success,
            url=before.url,
            alone_at=before.alone_at,
        )
    elif isinstance(result, Rejected) and result.reason is Reason.REVOKED:
        noted = replace(
            before,
            revoked_at=result.revoked_at or now,
            revoked_as_of=result.revoked_as_of,
            error=result.problem,
        )
    else:
        return
    if noted != before:
        store.record(noted)
