"""The target that a plan is for as it will be afterwards, and the others beside it in state."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from staplecfg.model.change import Change, Content, Kind
from staplecfg.model.errors import StaplecfgError
from staplecfg.model.facts import Record
from staplecfg.model.finding import Finding, Severity
from staplecfg.model.plan import Decision, Goal
from staplecfg.model.source import Location
from staplecfg.model.target import NoTarget, Target
from staplecfg.planning import looking, targets
from staplecfg.planning.state import present

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import PurePosixPath

    from staplecfg.model.facts import Facts
    from staplecfg.model.filesystem import Filesystem
    from staplecfg.model.target import Flags
    from staplecfg.planning.outcome import Outcome


VANISHED = "target-vanished"


def vanished(target: Target, files: Filesystem) -> Finding | None:
    """Return the finding that `target` is not there any more, or None."""
    gone = [(target.config, "main configuration file")]
    if "binary" in target.flags and target.binary is not None:
        gone.append((target.binary, "binary"))
    for path, what in gone:
        if not files.exists(path):
            return Finding(
                VANISHED,
                Severity.ERROR,
                Location(path),
                f"the {what} of a server that staplecfg looks after is gone,"
                " so its staples are not renewed",
                "bring it back, or have it forgotten: "
                f"staplecfg remove --config {shlex.quote(str(target.config))}",
            )
    return None


def name(facts: Facts) -> str:
    """Return the name in state of the target that `facts` are about."""
    return targets.identity(facts.installation.server, facts.installation.config)


def known(facts: Facts) -> Target | None:
    """Return what state remembers of the target that `facts` are about."""
    server, config = facts.installation.server, facts.installation.config
    return next((each for each in _known(facts) if each.is_for(server, config)), None)


def others(facts: Facts) -> tuple[Target, ...]:
    """Return every other target."""
    server, config = facts.installation.server, facts.installation.config
    return tuple(each for each in _known(facts) if not each.is_for(server, config))


def files_of_others(facts: Facts) -> frozenset[PurePosixPath]:
    """Return the files that other targets read and staplecfg put lines into."""
    return frozenset(file for each in others(facts) for file in each.files)


def unknown(facts: Facts) -> tuple[NoTarget, ...]:
    """Return the other targets of which nobody can say what they use."""
    own = _path(facts)
    return tuple(each for each in facts.targets if isinstance(each, NoTarget) and each.path != own)


def after(facts: Facts, outcome: Outcome, goal: Goal) -> Target | None:
    """Return the target as it will be; None where nothing of it is left, or never was.

    Renewals go on with the settings that `apply` was given, whatever they were
    given themselves.
    """
    before = known(facts)
    if goal is Goal.ABSENT and not facts.files.exists(facts.installation.config):
        return None
    keys = tuple(sorted({use.key for use in outcome.keys}))
    if not keys and (before is None or (goal is Goal.ABSENT and not _left_over(facts, outcome))):
        return None
    standing = before if goal is not Goal.PRESENT else None
    return Target(
        server=facts.installation.server,
        config=facts.installation.config,
        binary=facts.installation.binary or (before.binary if before else None),
        prefix=facts.installation.prefix,
        settings=standing.settings if standing else facts.settings.file,
        flags=standing.flags if standing else _flags(facts),
        unit=facts.running.unit or (before.unit if before else None),
        keys=keys,
        files=_files(facts, outcome, before),
        directories=tuple(dict.fromkeys(_directories(facts, outcome))),
        stores=tuple(sorted(_stores(facts, outcome))),
        served=any(use.delivery.asks_us for use in outcome.keys),
        looks=standing.looks if standing else looking.asked(facts.settings),
    )


def change(facts: Facts, target: Target | None) -> Change | None:
    """Return the change of its file that makes state remember `target`, or forget it."""
    path = _path(facts)
    before = present(path, facts.files)
    content = None if target is None else Content(targets.encode(target), mode=0o644)
    if content is None if before is None else before.same(content):
        return None
    return Change(facts.files.resolve(path), Kind.RECORD, before, content)


def _path(facts: Facts) -> PurePosixPath:
    installation = facts.installation
    return targets.path(installation.server, installation.config, facts.settings.state_dir)


def _known(facts: Facts) -> Iterator[Target]:
    return (each for each in facts.targets if isinstance(each, Target))


def _flags(facts: Facts) -> Flags:
    said = facts.settings.flags
    return {key: said[key] for key in targets.REMEMBERED if key in said}


def _left_over(facts: Facts, outcome: Outcome) -> bool:
    """Say whether lines of ours stay that are no other target's: in a file not read just now."""
    elsewhere = files_of_others(facts)
    return any(each.file not in elsewhere for each in outcome.record.inserted)


def _files(facts: Facts, outcome: Outcome, before: Target | None) -> tuple[PurePosixPath, ...]:
    inserted = {each.file for each in outcome.record.inserted}
    if before is not None and facts.record == Record() == outcome.record:
        inserted |= {*before.files}  # that there should be a record must not be forgotten, too
    return tuple(sorted(inserted & facts.configuration.files.keys()))


def _stores(facts: Facts, outcome: Outcome) -> set[PurePosixPath]:
    state_dir = facts.settings.state_dir
    found = {use.delivery.writes for use in outcome.keys}
    return {each for each in found if each is not None and state_dir not in each.parents}


def _directories(facts: Facts, outcome: Outcome) -> Iterator[PurePosixPath]:
    """Yield where the certificates in use are; then, for links, where they lead."""
    certificates = [
        certificate.path
        for each in outcome.sites
        if each.decision is Decision.CONFIGURED
        for certificate in each.site.certificates
        if certificate.path is not None
    ]
    for path in sorted(certificates):
        yield path.parent
    for path in sorted(certificates):
        try:
            yield facts.files.resolve(path).parent
        except StaplecfgError:  # links in a circle: check tells
            continue
