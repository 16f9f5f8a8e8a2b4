"""A revocation outlives the good answers that were given before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.model.verdict import Good, Reason, Rejected

if TYPE_CHECKING:
    from staplecfg.model.facts import Attempts
    from staplecfg.model.verdict import FetchResult


def after_revocation(result: FetchResult, attempts: Attempts) -> FetchResult:
    """Return `result`, or the rejection of a good answer from before the known revocation.

    Caches go on handing out the old answer, and anybody may replay it. A good
    answer later than the one that said revoked means that it was lifted
    (certificateHold; RFC 5280, 5.3.1).
    """
    known = attempts.revoked_as_of or attempts.revoked_at
    if not isinstance(result, Good) or known is None or result.staple.this_update > known:
        return result
    problem = (
        "it is older than the answer that said revoked (got thisUpdate "
        f"{result.staple.this_update:%F %T}, expected one after {known:%F %T} UTC)"
    )
    return Rejected(
        Reason.REVOKED,
        problem,
        step=9,
        revoked_at=attempts.revoked_at,
        revoked_as_of=attempts.revoked_as_of,
    )
