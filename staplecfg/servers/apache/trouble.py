"""What goes wrong while httpd's configuration is followed, and what must not be edited for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from staplecfg.model.finding import Finding, Severity

if TYPE_CHECKING:
    from pathlib import PurePosixPath

    from staplecfg.model.source import Location

UNREADABLE = "include-unreadable"
CYCLE = "include-cycle"
UNDECIDED = "condition-undecided"
MACRO = "macro-unusable"
DEFINE = "define-invalid"
PUT_IN = "line-made-of-variables"
FOREIGN = "foreign-language"
DEPTH = "nested-too-deep"


class Halt(Exception):
    """Nothing after this place can be followed."""


@dataclass(slots=True)
class Trouble:
    """Findings, and the files they concern.

    What is not known at one place may change everything after it: a variable, a
    module, a cache. Then no file is edited, `everywhere` saying why.
    """

    told: dict[Finding, None] = field(default_factory=dict)
    everywhere: Finding | None = None
    files: dict[PurePosixPath, Finding] = field(default_factory=dict)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Everything told, once each, in the order it was met."""
        return tuple(self.told)

    def tell(self, rule: str, at: Location, problem: str, hint: str | None) -> Finding:
        """Report what httpd itself will stop at; what is read stays certain."""
        return self._report(Finding(rule, Severity.ERROR, at, problem, hint))

    def blind(self, rule: str, at: Location, problem: str, hint: str | None) -> Finding:
        """Report what makes all that follows uncertain."""
        finding = self._report(Finding(rule, Severity.ERROR, at, problem, hint))
        self.everywhere = self.everywhere or finding
        return finding

    def uncertain(
        self, at: Location, problem: str, hint: str, files: tuple[PurePosixPath, ...] | None
    ) -> None:
        """Report a condition nobody can decide here, for `files`, or None for all."""
        finding = self._report(Finding(UNDECIDED, Severity.WARNING, at, problem, hint))
        if files is None:
            self.everywhere = self.everywhere or finding
        for file in files or ():
            self.files.setdefault(file, finding)

    def known(self, finding: Finding) -> None:
        """Take up a finding of a file that could not be understood: it could say anything."""
        self._report(finding)
        self.everywhere = self.everywhere or finding

    def refusal(self, file: PurePosixPath) -> Finding | None:
        """Return why `file` must not be edited."""
        return self.files.get(file) or self.everywhere

    def _report(self, finding: Finding) -> Finding:
        self.told[finding] = None
        return finding
