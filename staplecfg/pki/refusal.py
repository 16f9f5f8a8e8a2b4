"""How a step of the judgement ends it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from staplecfg.model.verdict import Rejected


class Refusal(Exception):
    """The response may not be stapled. Never leaves `pki`: `judge` returns what it carries."""

    def __init__(self, rejected: Rejected) -> None:
        """Carry the verdict from the step that reached it."""
        super().__init__(rejected.problem)
        self.rejected = rejected
