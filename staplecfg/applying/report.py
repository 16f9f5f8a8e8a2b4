"""What was done, step by step, as data."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from staplecfg.model.plan import Plan
    from staplecfg.model.probe import Probe


@dataclass(frozen=True, slots=True)
class Step:
    """One thing done: `tested`, `changed`, `reloaded`, ..., to what, and what came of it."""

    name: str
    subject: str
    detail: str = ""


class Outcome(Enum):
    """How carrying out a plan ended; one that was undone ends in an error instead."""

    APPLIED = "applied"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Report:
    """The steps in order, and the handshakes made at the end."""

    outcome: Outcome
    steps: tuple[Step, ...] = ()
    probes: tuple[Probe, ...] = ()


class Steps:
    """Collects steps and tells each one as it is done."""

    def __init__(self, tell: Callable[[Step], None]) -> None:
        self._tell = tell
        self.done: list[Step] = []

    def add(self, name: str, subject: object, detail: str = "") -> None:
        """Note that `name` was done to `subject`."""
        step = Step(name, str(subject), detail)
        self.done.append(step)
        self._tell(step)

    def add_changes(self, plan: Plan) -> None:
        """Note that the changes of `plan` are made."""
        for change in plan.changes:
            ending = "ied" if change.op == "modify" else "ed"
            self.add(f"{change.op.rstrip('ey')}{ending}", change.path)


def counted(probes: Sequence[Probe]) -> str:
    """Return how many handshakes came out how: `1 missing, 2 served`."""
    kinds = [type(probe.verdict).__name__.lower() for probe in probes]
    return ", ".join(f"{kinds.count(kind)} {kind}" for kind in sorted(set(kinds))) or "no site"
