"""When one response about several certificates is wanted, for a server that can send one only.

nginx attaches its staple file to whichever certificate the client gets. Few
public responders answer more than the first question of a request; those of
private authorities, and `openssl ocsp`, answer them all.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from staplecfg.model.facts import Attempts
    from staplecfg.model.staple import Staple

ASKED_AGAIN = timedelta(days=1)
"""When a responder that answered about one of several only is asked about all again."""


def common(staples: Sequence[Staple | None], now: datetime) -> bool:
    """Say whether `staples`, one for each of several leaves, are one current response."""
    found = [staple for staple in staples if staple is not None and now < staple.expires]
    return len(found) == len(staples) and len({staple.der for staple in found}) == 1


def worth_asking(attempts: Sequence[Attempts], now: datetime) -> bool:
    """Say whether one response about all is to be asked for though each has its own."""
    alone = [each.alone_at for each in attempts if each.alone_at is not None]
    failing = any(each.failures for each in attempts)
    return not failing and all(not timedelta(0) <= now - at < ASKED_AGAIN for at in alone)
