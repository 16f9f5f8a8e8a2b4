"""When one response about several certificates is wanted, for a server that can send one only.

nginx attaches its staple file to whichever certificate the client gets. Few
public responders answer more than the first question of a request; those of
private authorities, and `openssl ocsp`, answer them all.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from staplecfg.model.verdict import Reason
from staplecfg.staples.schedule import waiting

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from staplecfg.model.facts import Attempts
    from staplecfg.model.verdict import Rejected

REFUSES = (1, 5, 6)
"""malformedRequest, sigRequired, unauthorized: a question like this is not answered here
(RFC 6960, 4.2.1)."""
ASKED_AGAIN = timedelta(days=1)
"""When a responder that answered about one of several only is asked about all again."""


SHARED_STAYS = "the kept one answers for all certificates of a site"
"""Why an answer about one of several is not kept."""


def worth_asking(attempts: Sequence[Attempts], now: datetime) -> bool:
    """Say whether one response about all is to be asked for though each has its own.

    Not while a failure is waited out, not after one about a revoked certificate, and
    not soon after a responder answered for each alone.
    """
    if any(each.revoked_at is not None or waiting(each, now) is not None for each in attempts):
        return False
    alone = [each.alone_at for each in attempts if each.alone_at is not None]
    return all(not timedelta(0) <= now - at < ASKED_AGAIN for at in alone)


def passing(result: Rejected) -> bool:
    """Say whether `result` speaks of a bad moment, not of a certificate or of what can be had.

    tryLater, an internal error, something old out of a cache: the same question may be
    answered in a minute.
    """
    if result.reason is Reason.UNSUCCESSFUL:
        return result.response_status not in REFUSES
    return result.reason in {Reason.TIME, Reason.OLDER}


def only_singly(together: Rejected) -> bool:
    """Say whether a responder whose answer is `together` would answer about each alone only."""
    about_one = {Reason.REVOKED, Reason.UNKNOWN}
    return not passing(together) and together.reason not in about_one
