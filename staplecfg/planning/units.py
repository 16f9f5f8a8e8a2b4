"""What renews the staples and watches over them: systemd's units, a cron table, or nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from staplecfg.model.change import Change, Content, Kind
from staplecfg.model.finding import Finding, Severity
from staplecfg.model.settings import Schedule
from staplecfg.model.source import Location
from staplecfg.planning.schedule import boot, cron, dead_man, hooks, serve, timer
from staplecfg.planning.schedule import path as watch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import PurePosixPath
    from typing import TypeAlias

    from staplecfg.model.facts import Facts
    from staplecfg.model.filesystem import Filesystem
    from staplecfg.planning.schedule.needs import Needs

    Part: TypeAlias = Callable[[Needs], Mapping[PurePosixPath, Content]]

SERVICE = timer.SERVICE
CRON = cron.TABLE

PARTS: Mapping[Schedule, tuple[Part, ...]] = {
    Schedule.SYSTEMD: (
        timer.files,
        dead_man.files,
        boot.files,
        watch.files,
        hooks.files,
        serve.files,
    ),
    Schedule.CRON: (cron.files, hooks.files),
    Schedule.NONE: (),
}
"""The files of each schedule, what is named before what names it; first what renews."""

NOTHING_RENEWS = "nothing-renews"
NOTHING_SERVES = "nothing-serves"
NOT_OURS = "schedule-not-ours"


@dataclass(frozen=True, slots=True)
class Scheduled:
    """`runs` says whether anything will renew; `units` is what the record is to hold.

    `made` are the directories that come to be with `changes`.
    """

    runs: bool
    changes: tuple[Change, ...] = ()
    collect: tuple[Change, ...] = ()
    units: tuple[PurePosixPath, ...] = ()
    findings: tuple[Finding, ...] = ()
    made: tuple[PurePosixPath, ...] = ()


def schedule(needs: Needs) -> Scheduled:
    """Return what it takes for the command of `needs` to run as the settings and the machine say.

    A file in the place of ours that we did not put there stays: whoever wrote
    it schedules staplecfg, or masked the unit, and knows why.
    """
    facts = needs.facts
    files: dict[PurePosixPath, Content] = {}
    findings = list(watch.unwatched(needs)) if mode(facts) is Schedule.SYSTEMD else []
    for number, part in enumerate(PARTS[mode(facts)]):
        own = part(needs)
        foreign = [path for path in own if _foreign(path, facts, own[path])]
        if foreign and number == 0:
            return _left_to_others(foreign, facts)
        files |= {} if foreign else own
        findings += _not_ours(foreign, facts)
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
        findings=tuple(findings),
        made=tuple(_missing(changes, facts.files)),
    )


def _missing(changes: Sequence[Change], files: Filesystem) -> Iterator[PurePosixPath]:
    for change in changes:
        yield from (each for each in change.path.parents if not files.exists(each))


def watching(needs: Needs) -> tuple[Change, ...]:
    """Return the change that makes the path unit watch the directories of today.

    It is made by every renewal, but only where the unit is ours; all else is
    apply's business.
    """
    facts = needs.facts
    content = watch.files(needs).get(watch.PATH)
    if content is None or watch.PATH not in facts.record.units:
        return ()
    before = _present(watch.PATH, facts.files)
    if before is None or content.same(before):
        return ()
    return (Change(_target(watch.PATH, content, facts.files), Kind.UNIT, before, content),)


def mode(facts: Facts) -> Schedule:
    """Return how the schedule is kept: never AUTO, which is decided here.

    A laboratory's server gets nothing: its staples are its owner's business,
    and a unit on the machine would outlive it.
    """
    settings, running = facts.settings, facts.running
    if settings.schedule is not Schedule.AUTO:
        return settings.schedule
    for file, known in ((SERVICE, Schedule.SYSTEMD), (CRON, Schedule.CRON)):
        # Decided before; a server that happens to be stopped does not undo it.
        if file in facts.record.units:
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


def nothing_serves(facts: Facts) -> tuple[Finding, ...]:
    """Return the finding that nobody starts the local responder, which a server is told to ask."""
    if facts.settings.elsewhere or mode(facts) is Schedule.SYSTEMD:
        return ()
    found = Finding(
        NOTHING_SERVES,
        Severity.WARNING,
        Location(facts.configuration.main),
        f"nothing of staplecfg's starts the local responder at {facts.settings.serve.listen}",
        "have `staplecfg serve` run always, and started before the server",
    )
    return (found,)


def _foreign(path: PurePosixPath, facts: Facts, wanted: Content) -> bool:
    if path in facts.record.units:
        return False
    present = _present(path, facts.files)
    return present is not None and not present.same(wanted)


def _left_to_others(foreign: Sequence[PurePosixPath], facts: Facts) -> Scheduled:
    masked = any(facts.files.link(path) == "/dev/null" for path in foreign)
    findings = _not_ours(foreign, facts)
    return Scheduled(runs=not masked, units=facts.record.units, findings=findings)


def _not_ours(foreign: Sequence[PurePosixPath], facts: Facts) -> tuple[Finding, ...]:
    if not foreign:
        return ()
    masked = any(facts.files.link(path) == "/dev/null" for path in foreign)
    note = Finding(
        NOT_OURS,
        Severity.NOTE,
        Location(foreign[0]),
        "a unit that is masked is left so" if masked else "staplecfg did not write this; it stays",
        "take it away to have staplecfg write its own",
    )
    return (note,)


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
