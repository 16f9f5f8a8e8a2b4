"""Which staple may be handed out by a server that does not look at its end itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.model.staple import CertStatus
from staplecfg.planning import looking

if TYPE_CHECKING:
    from staplecfg.model.facts import Facts
    from staplecfg.model.staple import Staple


def servable(fingerprint: str, facts: Facts) -> Staple | None:
    """Return the staple of this leaf if it may be served until the next run, else None.

    The server that reads it does not look at its end. So it is withdrawn by the
    last run that is sure to come before that (`Looks.margin`).
    """
    stored = facts.stored.get(fingerprint)
    staple = stored.staple if stored is not None else None
    if staple is None or staple.fingerprint != fingerprint or staple.status is not CertStatus.GOOD:
        return None
    return staple if may_be_served(staple, facts) else None


def may_be_served(staple: Staple, facts: Facts) -> bool:
    """Say whether `staple`, which has been judged, may be served until the next run."""
    if facts.now >= looking.withdrawn_at(staple, looking.in_effect(facts)):
        return False
    return staple.this_update <= facts.now + facts.settings.floors.skew
