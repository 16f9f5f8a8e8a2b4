"""What renews the staples: a systemd timer, a cron table, or nothing of ours."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from staplecfg.model.change import Change, Content, Kind
from staplecfg.model.finding import Finding, Severity
from staplecfg.model.settings import Schedule
from staplecfg.model.source import Location
from staplecfg.planning import render
from staplecfg.planning.command_line import for_cron, for_systemd, path_for_systemd

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from staplecfg.model.facts import Facts
    from staplecfg.model.filesystem import Filesystem

UNITS = PurePosixPath("/etc/systemd/system")
SERVICE = UNITS / "staplecfg.service"
TIMER = UNITS / "staplecfg.timer"
ENABLED = UNITS / "timers.target.wants" / "staplecfg.timer"
CRON = PurePosixPath("/etc/cron.d/staplecfg")

NOTHING_RENEWS = "nothing-renews"
NOT_OURS = "schedule-not-ours"


@dataclass(frozen=True, slots=True)
class Scheduled:
    """`runs` says whether anything will renew; `units` is what the record is to hold."""

    runs: bool
    changes: tuple[Change, ...] = ()
    collect: tuple[Change, ...] = ()
    units: tuple[PurePosixPath, ...] = ()
    findings: tuple[Finding, ...] = ()


def schedule(facts: Facts, warm_command: Sequence[str]) -> Scheduled:
    """Return what it takes for `warm_command` to run hourly, as the settings and the machine say.

    A file in the place of ours that we did not put there stays: whoever wrote
    it schedules staplecfg, or masked the unit, and knows why.
    """
    files = _files(mode(facts), facts, warm_command)
    foreign = [path for path in files if _foreign(path, facts, files[path])]
    if foreign:
        return _left_to_others(foreign, facts)
    changes = tuple(
        Change(_target(path, content, facts.files), _kind(content), before, content)
        for path, content in files.items()
        if not content.same(before := _present(path, facts.files))
    )
    outdated = [path for path in facts.record.units if path not in files]
    units = (*(change.path for change in changes if change.before is None), *facts.record.units)
    return Scheduled(
        runs=bool(files),
        changes=changes,
        collect=removal(outdated, facts),
        units=tuple(dict.fromkeys(path for path in units if path in files)),
    )


def mode(facts: Facts) -> Schedule:
    """Return how the schedule is kept: never AUTO, which is decided here.

    A laboratory's server gets nothing: its staples are its owner's business,
    and a unit on the machine would outlive it.
    """
    settings, running = facts.settings, facts.running
    if settings.schedule is not Schedule.AUTO:
        return settings.schedule
    for path, known in ((SERVICE, Schedule.SYSTEMD), (CRON, Schedule.CRON)):
        # Decided before; a server that happens to be stopped does not undo it.
        if path in facts.record.units:
            return known
    if settings.elsewhere:
        return Schedule.NONE
    if running.systemd:
        return Schedule.SYSTEMD if running.unit is not None else Schedule.NONE
    machines_own = settings.config is None and settings.prefix is None
    return Schedule.CRON if running.cron and machines_own else Schedule.NONE


def removal(paths: Sequence[PurePosixPath], facts: Facts) -> tuple[Change, ...]:
    """Return the changes that take away the schedule's files at `paths`, what names first."""
    found = [(path, _present(path, facts.files)) for path in reversed(paths)]
    return tuple(
        Change(_target(path, content, facts.files), _kind(content), content, None)
        for path, content in found
        if content is not None
    )


def nothing_renews(facts: Facts) -> tuple[Finding, ...]:
    """Return the finding that the staples would rot, for whoever applies the plan to refuse it.

    A note where the user says to go on, and nothing about another machine's
    tree: what runs there is not to be seen from here.
    """
    if facts.settings.elsewhere:
        return ()
    severity = Severity.NOTE if facts.settings.unscheduled else Severity.ERROR
    found = Finding(
        NOTHING_RENEWS,
        severity,
        Location(facts.configuration.main),
        "nothing would renew the staples, and they expire within days",
        "set `schedule` to systemd or cron; or run `staplecfg warm` hourly by other means"
        " and say --unscheduled",
    )
    return (found,)


def _files(
    kept: Schedule, facts: Facts, warm_command: Sequence[str]
) -> Mapping[PurePosixPath, Content]:
    """Return the schedule's files, what is named before what names it."""
    if kept is Schedule.SYSTEMD:
        writable = dict.fromkeys([str(facts.settings.state_dir), str(facts.installation.prefix)])
        variables = {
            "command": for_systemd(warm_command),
            "writable": [path_for_systemd(path) for path in writable],
        }
        return {
            SERVICE: _rendered("staplecfg.service", facts, variables),
            TIMER: _rendered("staplecfg.timer", facts, variables),
            ENABLED: Content(link=str(TIMER)),
        }
    if kept is Schedule.CRON:
        variables = {"command": for_cron(warm_command), "minute": str(_minute(facts))}
        return {CRON: _rendered("cron", facts, variables)}
    return {}


def _rendered(name: str, facts: Facts, variables: Mapping[str, object]) -> Content:
    text, _ = render.text(facts.templates, f"schedule/{name}.j2", variables)
    return Content(text.encode("utf-8", "surrogateescape"), mode=0o644)


def _minute(facts: Facts) -> int:
    """Return a minute that differs between installations and stays the same on each."""
    title = next((site.title for site in facts.configuration.sites), "")
    digest = hashlib.sha256(title.encode("utf-8", "surrogateescape")).digest()
    return int.from_bytes(digest[:4], "big") % 60


def _foreign(path: PurePosixPath, facts: Facts, wanted: Content) -> bool:
    if path in facts.record.units:
        return False
    present = _present(path, facts.files)
    return present is not None and not present.same(wanted)


def _left_to_others(foreign: Sequence[PurePosixPath], facts: Facts) -> Scheduled:
    masked = any(facts.files.link(path) == "/dev/null" for path in foreign)
    note = Finding(
        NOT_OURS,
        Severity.NOTE,
        Location(foreign[0]),
        "a unit that is masked is left so" if masked else "staplecfg did not write this; it stays",
        "take it away to have staplecfg write its own",
    )
    return Scheduled(runs=not masked, units=facts.record.units, findings=(note,))


def _present(path: PurePosixPath, files: Filesystem) -> Content | None:
    link = files.link(path)
    if link is not None:
        return Content(link=link)
    return Content(files.read(path)) if files.exists(path) else None


def _target(path: PurePosixPath, content: Content, files: Filesystem) -> PurePosixPath:
    """Return where `path` really is; a link is changed itself, never what it leads to."""
    if content.link is not None:
        return files.resolve(path.parent) / path.name
    return files.resolve(path)


def _kind(content: Content) -> Kind:
    return Kind.UNIT if content.link is None else Kind.LINK
