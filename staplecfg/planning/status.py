"""How one server's staples stand, without changing anything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from staplecfg.checks import nothing_answers
from staplecfg.checks.registry import run
from staplecfg.model.change import Kind
from staplecfg.model.plan import Goal
from staplecfg.planning.attention import InUse, in_use, unusable
from staplecfg.planning.planner import plan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from staplecfg.model.chain import NoChain
    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding
    from staplecfg.servers.interface import Server


@dataclass(frozen=True, slots=True)
class Status:
    """The server of `facts`, and every certificate that its configured sites present.

    `pending` counts the files in state that the next `warm` would change at
    once: a certificate was replaced, a staple is to be withdrawn.
    """

    facts: Facts
    used: tuple[InUse, ...]
    pending: int
    unusable: tuple[NoChain, ...] = ()
    """Certificates of configured sites of which nothing can be known."""
    findings: tuple[Finding, ...] = ()
    """What keeps staples from visitors, however they stand: each needs a person."""

    @property
    def calls(self) -> int:
        """How many certificates need a person."""
        return len(self.needing) + len(self.unusable)

    @property
    def needing(self) -> tuple[InUse, ...]:
        """Those that need a person."""
        return tuple(each for each in self.used if each.problem is not None)


def status(facts: Facts, server: Server, *, warm_command: Sequence[str]) -> Status:
    """Return how the staples that `facts` show stand; `warm_command` as for `plan`."""
    made = plan(facts, server, Goal.STATE_ONLY, warm_command=tuple(warm_command))
    changed = [each for each in made.changes if each.kind in {Kind.SNIPPET, Kind.STAPLE}]
    lost = unusable(made.sites, facts)
    found = run([nothing_answers.RULE], facts)
    return Status(facts, in_use(made.sites, facts), len(changed), lost, found)
