"""Status as a monitoring plugin says it: one line, and an exit status of its own convention."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

from staplecfg.cli.output.clean import clean_line
from staplecfg.cli.output.text import counted
from staplecfg.model.finding import Severity
from staplecfg.planning.attention import Condition, said_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from staplecfg.model.errors import StaplecfgError
    from staplecfg.model.finding import Finding
    from staplecfg.planning.attention import InUse
    from staplecfg.planning.status import Status


class State(IntEnum):
    """The convention's states (Monitoring Plugins Development Guidelines, return codes)."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3


def line(targets: Sequence[Status], errors: Sequence[StaplecfgError]) -> tuple[str, State]:
    """Return the one line, and the state it is for.

    CRITICAL where visitors are or will soon be turned away: revoked, expired,
    or a certificate that demands a staple and has none, or none that the local
    responder gives out. WARNING for anything else that needs a person. UNKNOWN
    where a server's configuration cannot be read and nothing worse is known.
    """
    needing = [each for target in targets for each in target.needing]
    findings = [each for target in targets for each in target.findings]
    critical = [_told(each) for each in needing if _critical(each)]
    critical += [_found(each) for each in findings if each.severity is Severity.ERROR]
    if critical:
        return _line(State.CRITICAL, critical, targets), State.CRITICAL
    if errors:
        return unknown(errors[0]), State.UNKNOWN
    calling = [_told(each) for each in needing]
    calling += [said_of(each) for target in targets for each in target.unusable]
    calling += [_found(each) for each in findings]
    if calling:
        return _line(State.WARNING, calling, targets), State.WARNING
    used = sum(len(target.used) for target in targets)
    return _line(State.OK, [f"{counted(used, 'certificate')} in use"], targets), State.OK


def unknown(error: StaplecfgError) -> str:
    """Return the line for `error`, which kept anything from being known."""
    where = "" if error.at is None else f"{error.at}: "
    return f"STAPLECFG UNKNOWN - {_plain(where + error.problem)}"


def _critical(each: InUse) -> bool:
    if each.condition in {Condition.REVOKED, Condition.EXPIRED}:
        return True
    return each.condition is Condition.MISSING and each.chain.must_staple


def _told(each: InUse) -> str:
    return f"{each.chain.path}: {each.problem}"


def _found(each: Finding) -> str:
    return f"{each.location}: {each.problem}"


def _line(state: State, every: Sequence[str], targets: Sequence[Status]) -> str:
    said = every[0] if len(every) == 1 else f"{every[0]} (and {len(every) - 1} more)"
    left = [
        1 - each.stored.staple.share_used(target.facts.now)
        for target in targets
        for each in target.used
        if each.stored.staple is not None
    ]
    used = sum(len(target.used) for target in targets)
    needing = sum(target.calls for target in targets)
    # 'label'=value[unit];warn;crit;min;max
    data = [f"certificates={used}", f"attention={needing};0;;0"]
    data += [f"least_life_left={min(left):.0%};25:;0:;0;100"] if left else []
    return f"STAPLECFG {state.name} - {_plain(said)} | {' '.join(data)}"


def _plain(said: str) -> str:
    # A bar begins the performance data, wherever it stands.
    return clean_line(said).replace("|", "/")
