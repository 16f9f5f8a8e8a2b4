"""A staple that is withdrawn though it has not ended: nobody would come in time to do it later."""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.checks.wording import moment
from staplecfg.model.looks import MINUTE
from staplecfg.planning.looking import withdrawn_at
from staplecfg.servers.in_effect import in_effect

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime, timedelta

    from staplecfg.model.facts import Facts
    from staplecfg.model.looks import Looks
    from staplecfg.model.site import Site
    from staplecfg.model.staple import Staple

REMEDY = "for staples that live so short, set `schedule.interval` (docs/schedule.md)"


def early(staple: Staple, sites: Iterable[Site], facts: Facts, looks: Looks) -> str | None:
    """Return why `staple` is not served by one of `sites` any more, or yet at all; else None.

    Only where a server reads it once and for all. What is asked for it each time
    (`staplecfg serve`) is given to the very end.
    """
    if not any(_once(site, facts) for site in sites):
        return None
    return not_served(staple, facts.now, looks)


def not_served(staple: Staple, now: datetime, looks: Looks) -> str | None:
    """Return why a server that reads `staple` once is not given it at `now`; None where it is."""
    if now < withdrawn_at(staple, looks):
        return None
    ends = f"its staple ends at {moment(staple.expires)}"
    if staple.expires - staple.this_update > 2 * looks.margin:
        return f"{ends} and was not renewed: withdrawn, for the next run may come after that"
    return (
        f"{ends}, and the next run may come {minutes(looks.margin)} min from now,"
        f" so it is not served; {REMEDY}"
    )


def minutes(margin: timedelta) -> int:
    """Return `margin` in minutes, rounded up: a staple needs as many to be served at all."""
    return -(-margin // MINUTE)


def _once(site: Site, facts: Facts) -> bool:
    stapling = in_effect(site, facts.configuration)
    state_dir = facts.settings.state_dir
    return stapling.withdrawn or (stapling.path is not None and state_dir in stapling.path.parents)
