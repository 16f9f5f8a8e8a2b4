"""The dead man: what a shell script must know to take staples out of service without us.

For each target there is a list: its commands, and when each snippet's staple
has had its time. It is written after the snippets it names: whoever is killed
in between leaves an earlier time than the staple's, never a later one.
"""

from __future__ import annotations

import shlex
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from staplecfg.model.change import Change, Content, Kind
from staplecfg.planning import looking, render
from staplecfg.planning.command_line import for_shell
from staplecfg.planning.state import present

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from staplecfg.model.facts import Facts
    from staplecfg.model.looks import Looks
    from staplecfg.planning.state import Ending, State
    from staplecfg.servers.interface import Commands

DIRECTORY = PurePosixPath("dead-man")

HEAD = "# written by staplecfg for dead-man.sh: how the server is told, and what is due when"


def script(state_dir: PurePosixPath) -> PurePosixPath:
    """Return where the script is."""
    return state_dir / "dead-man.sh"


def of_target(name: str, state_dir: PurePosixPath) -> tuple[PurePosixPath, PurePosixPath]:
    """Return the list and the neutral snippet of the target called `name`."""
    return state_dir / DIRECTORY / f"{name}.list", state_dir / DIRECTORY / f"{name}.neutral"


def pending(name: str, state_dir: PurePosixPath) -> PurePosixPath:
    """Return the file that says that the server of target `name` is yet to be reloaded."""
    return state_dir / DIRECTORY / f"{name}.pending"


def files(name: str, kept: State, facts: Facts, commands: Commands) -> dict[PurePosixPath, Content]:
    """Return the script, and the list and neutral snippet of the target `name`.

    The list says in a comment what the server was told to read: where another
    target has renewed a staple that both read, this one's server is yet to be told.
    """
    state_dir = facts.settings.state_dir
    variables = {"state_dir": for_shell([str(state_dir)])}
    text, _ = render.text(facts.templates, "schedule/dead-man.sh.j2", variables)
    looks = looking.in_effect(facts)
    head = (HEAD, f"# state {kept.digest}", *_commands(facts, commands))
    lines = [*head, f"overdue {max(1, looks.overdue.seconds)}", *_times(kept.endings, looks)]
    listed, neutral = of_target(name, state_dir)
    wanted = {script(state_dir): Content(_bytes(text), mode=0o755)}
    if kept.neutral is not None:
        wanted[neutral] = kept.neutral
    return {**wanted, listed: Content(_bytes("\n".join(lines) + "\n"), mode=0o644)}


def changes(wanted: Mapping[PurePosixPath, Content], facts: Facts) -> tuple[Change, ...]:
    """Return the changes that make the files `wanted`."""
    return tuple(
        Change(facts.files.resolve(path), Kind.RECORD, before, content)
        for path, content in wanted.items()
        if not content.same(before := present(path, facts.files))
    )


def _commands(facts: Facts, commands: Commands) -> Iterator[str]:
    test = commands.test(facts.installation).words
    reload = commands.reload(facts.installation).words
    yield f"test {shlex.join(test)}"
    yield f"reload {shlex.join(reload)}"
    # Out of sight, a pid file says nothing: the reload command alone knows whether it runs.
    if not facts.settings.unseen:
        yield f"pid {commands.pid_file(facts.configuration, facts.installation)}"


def _times(endings: Iterable[Ending], looks: Looks) -> Iterator[str]:
    for each in endings:
        yield f"{int((each.expires - looks.dead_man_margin).timestamp())} {each.snippet}"


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
