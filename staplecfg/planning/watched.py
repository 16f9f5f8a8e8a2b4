"""What state keeps of a target besides staples: that it is one, and what the dead man must know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from staplecfg.model.change import Change, Kind
from staplecfg.planning import dead_man, targeted
from staplecfg.planning.state import present

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import PurePosixPath

    from staplecfg.model.facts import Facts
    from staplecfg.model.target import Target
    from staplecfg.planning.state import State
    from staplecfg.servers.interface import Server


@dataclass(frozen=True, slots=True)
class Watched:
    """`reload` says that the server is to be told of state that another target has changed."""

    changes: tuple[Change, ...] = ()
    collect: tuple[Change, ...] = ()
    reload: bool = False


def watch(facts: Facts, server: Server, target: Target | None, kept: State) -> Watched:
    """Return what it takes for state to know `target`, which reads what is `kept`; or to forget it.

    Nothing where nothing is executed: a tree that stands for another machine.
    """
    remembered = targeted.change(facts, target)
    known = (remembered,) if remembered is not None else ()
    name, state_dir = targeted.name(facts), facts.settings.state_dir
    if target is None:
        last = not targeted.others(facts) and not targeted.unknown(facts)
        scripts = (dead_man.script(state_dir),) if last else ()
        files = (*dead_man.of_target(name, state_dir), dead_man.pending(name, state_dir))
        gone = (*files, *scripts)
        return Watched(collect=(*_away(gone, facts), *known))
    if facts.installation.binary is None:
        return Watched(changes=known)
    wanted = dead_man.files(name, kept, facts, server.commands)
    changes = dead_man.changes(wanted, facts)
    listed = facts.files.resolve(dead_man.of_target(name, state_dir)[0])
    told = any(change.path == listed and change.before is not None for change in changes)
    return Watched(changes=(*changes, *known), reload=told)


def _away(paths: Iterable[PurePosixPath], facts: Facts) -> tuple[Change, ...]:
    found = [(path, present(path, facts.files)) for path in paths]
    return tuple(
        Change(facts.files.resolve(path), Kind.RECORD, before, None)
        for path, before in found
        if before is not None
    )
