"""One run for each server; what they came to, as one result. None stops the others."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, cast

from staplecfg.cli.output import json, text
from staplecfg.cli.output.clean import clean_line
from staplecfg.cli.output.result import Result
from staplecfg.model.errors import ExitStatus, StaplecfgError, TargetVanished
from staplecfg.model.finding import Finding, Severity
from staplecfg.planning.targeted import VANISHED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import PurePosixPath

    from staplecfg.cli.targets import Chosen
    from staplecfg.model.settings import Settings

LISTS = ("steps", "renewals", "probes")
"""Members of the document that runs have, and that are put together."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of one server: a result, or the error it ended in."""

    about: Chosen
    result: Result | None = None
    error: StaplecfgError | None = None

    @property
    def status(self) -> ExitStatus:
        """Its exit status."""
        if self.error is not None:
            return self.error.status
        return ExitStatus(self.result.status) if self.result is not None else ExitStatus.DONE


def for_each(found: Sequence[Chosen], run: Callable[[Settings], Result]) -> Result:
    """Run `run` for each of `found`; the exit status is the worst of all.

    A single server is nothing special: its errors are raised. A bug in the run
    for one is raised when the others have had theirs.
    """
    if len(found) == 1 and not isinstance(found[0], StaplecfgError):
        return run(found[0])
    ran: list[Ran] = []
    bug: Exception | None = None
    for each in found:
        if isinstance(each, StaplecfgError):
            ran.append(Ran(each, error=each))
            continue
        try:
            ran.append(Ran(each, run(each)))
        except StaplecfgError as error:
            if isinstance(error.__cause__, KeyboardInterrupt):
                raise  # asked to stop: the others are not begun
            ran.append(Ran(each, error=error))
        except Exception as error:  # noqa: BLE001 - the staples of other servers must not rot by it
            text.say(traceback.format_exc().rstrip())
            bug = error
    if bug is not None:
        raise bug
    return together(ran)


def together(ran: Sequence[Ran]) -> Result:
    """Return what all of `ran` came to as one result."""
    results = [each.result for each in ran if each.result is not None]
    gone = [_finding(each.error) for each in ran if isinstance(each.error, TargetVanished)]
    extras = [each.extra or {} for each in results]
    lists = {name: [*chain.from_iterable(_list(each, name) for each in extras)] for name in LISTS}
    return Result(
        status=max((each.status for each in ran), default=ExitStatus.DONE),
        lines=(
            *chain.from_iterable(_lines(each) for each in ran),
            *text.findings(gone, colour=False),
        ),
        changed=any(each.changed for each in results),
        changes=tuple(chain.from_iterable(each.changes for each in results)),
        findings=(*chain.from_iterable(each.findings for each in results), *gone),
        sites=tuple(chain.from_iterable(each.sites for each in results)),
        staples=tuple(chain.from_iterable(each.staples for each in results)),
        notes=tuple(chain.from_iterable(_notes(each) for each in ran)),
        warnings=tuple(chain.from_iterable(each.warnings for each in results)),
        outcome=_outcome(ran, results),
        extra={**lists, "runs": [_run(each) for each in ran]},
    )


def _finding(error: TargetVanished) -> Finding:
    assert error.at is not None  # noqa: S101 - cli.targets says where it was
    return Finding(VANISHED, Severity.ERROR, error.at, error.problem, error.hint)


def _lines(ran: Ran) -> list[str]:
    where = clean_line(str(_config(ran) or ""))
    return [f"{where}: {line}" for line in ran.result.lines] if ran.result is not None else []


def _notes(ran: Ran) -> list[str]:
    if ran.error is None or isinstance(ran.error, TargetVanished):
        return list(ran.result.notes) if ran.result is not None else []
    where = _config(ran)
    if ran.error.at is not None or where is None:
        return text.error(ran.error)
    problem = f"{where}: {ran.error.problem}"
    return text.error(StaplecfgError(problem, hint=ran.error.hint, state=ran.error.state))


def _config(ran: Ran) -> PurePosixPath | None:
    if ran.result is not None and ran.result.installation is not None:
        return ran.result.installation.config
    return None if isinstance(ran.about, StaplecfgError) else ran.about.config


def _outcome(ran: Sequence[Ran], results: Sequence[Result]) -> str:
    if any(each.status is ExitStatus.UNDO_FAILED for each in ran):
        return "undo-failed"
    if any(each.error is not None for each in ran):
        return "failed"
    outcomes = {each.outcome for each in results}
    return "applied" if "applied" in outcomes else "unchanged"


def _run(ran: Ran) -> dict[str, object]:
    config = _config(ran)
    if config is None and ran.error is not None and ran.error.at is not None:
        config = ran.error.at.path
    return {
        "config": None if config is None else str(config),
        "status": int(ran.status),
        "outcome": _outcome([ran], [ran.result] if ran.result is not None else []),
        "error": None if ran.error is None else json.problem(ran.error),
    }


def _list(extra: Mapping[str, object], name: str) -> list[object]:
    return cast("list[object]", extra.get(name, []))
