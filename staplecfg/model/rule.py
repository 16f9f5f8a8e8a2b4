"""One thing that can be wrong, and how to tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from staplecfg.model.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Severity
    from staplecfg.model.site import Site
    from staplecfg.model.source import Location


@dataclass(frozen=True, slots=True)
class Rule:
    """`text` is what `explain` prints: what, why, how to fix. `check` says what it finds."""

    id: str
    severity: Severity
    text: str
    check: Callable[[Facts], Iterable[Finding]]

    def finding(
        self, at: Location, problem: str, hint: str | None = None, site: Site | None = None
    ) -> Finding:
        """Return a finding of this rule, of its severity."""
        return Finding(self.id, self.severity, at, problem, hint, site.title if site else None)
