"""Staples of any age, put into a laboratory's store as if they had been fetched."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.support.apache_lab import ApacheLab
    from tests.support.authority import Issued
    from tests.support.lab import Lab

DAY = timedelta(days=1)


def now() -> datetime:
    return datetime.now(timezone.utc).replace(microsecond=0)


def response(lab: Lab | ApacheLab, issued: Issued, *, since: timedelta, until: timedelta) -> bytes:
    """Return an honest response that has been good `since`, and ends in `until`."""
    moment = now()
    return lab.authority.respond(
        issued,
        now=moment,
        this_update=moment - since,
        next_update=moment + until,
        produced_at=moment - since,
    )


def keep(lab: Lab | ApacheLab, issued: Issued, *, since: timedelta, until: timedelta) -> bytes:
    """Make the store hold such a response, and nothing noted about the certificate."""
    der = response(lab, issued, since=since, until=until)
    (lab.state / "store" / f"{issued.sha256}.der").write_bytes(der)
    (lab.state / "store" / f"{issued.sha256}.json").unlink(missing_ok=True)
    return der
