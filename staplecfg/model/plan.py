"""Everything `apply` will do, and nothing it has yet to decide."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from staplecfg.model.change import Change
    from staplecfg.model.finding import Finding
    from staplecfg.model.site import Site


class Goal(Enum):
    """What the machine should look like afterwards."""

    PRESENT = "present"
    """Stapling configured, state current: apply, diff."""
    STATE_ONLY = "state-only"
    """`/etc` as it is, state current: warm."""
    ABSENT = "absent"
    """Nothing of ours left: remove."""


class Decision(Enum):
    """What the plan does with one site."""

    CONFIGURED = "configured"
    """It has, or will have, our lines."""
    SKIPPED = "skipped"
    """Left alone, and nobody's fault: no responder URL, not selected, `off` decided."""
    REFUSED = "refused"
    """Left alone because editing it would not be safe or not be understood."""


@dataclass(frozen=True, slots=True)
class SitePlan:
    """What becomes of `site`; `reason` says why it is left alone, or is empty."""

    site: Site
    decision: Decision
    delivery: str | None = None
    key: str | None = None
    fingerprint: str | None = None
    reason: str = ""
    fetched: bool = False
    """The server fetches its staples itself: what is in our store is not served there."""


@dataclass(frozen=True, slots=True)
class Plan:
    """`diff` prints it and `apply` carries it out; neither looks at options or configuration again.

    `changes` are in the order they must be written: what is named comes before
    what names it. `collect` is taken away only after the server has re-read its
    configuration successfully. `reload` says whether a running server must re-read.
    """

    goal: Goal
    changes: tuple[Change, ...]
    collect: tuple[Change, ...]
    findings: tuple[Finding, ...]
    sites: tuple[SitePlan, ...]
    reload: bool

    @property
    def empty(self) -> bool:
        """Say whether there is nothing to write and nothing to take away."""
        return not self.changes and not self.collect
