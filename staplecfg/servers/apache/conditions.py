"""Sections that httpd decides while it reads: `<IfModule>`, `<IfDefine>`, `<IfVersion>`, ..."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from staplecfg.model.errors import Unreadable
from staplecfg.servers.apache import owners, words
from staplecfg.servers.apache.globs import absolute

if TYPE_CHECKING:
    from staplecfg.servers.apache.state import State

_NUMBERS = re.compile(r"[0-9]+(?:\.[0-9]+){0,2}")
_OPERATOR = re.compile(r"(!?)(?:([=<>])(=?)|(~))")


@dataclass(frozen=True, slots=True)
class Undecided:
    """Why a condition cannot be decided here, or not by httpd either; fits after a colon."""

    problem: str
    hint: str


def decide(section: str, text: bytes, state: State) -> bool | Undecided:
    """Say whether httpd reads what stands in `section`, whose condition is `text`.

    `text` is the opening line between the name and the last `>`, variables in
    place. `section` is one of `names.READ_AT_ONCE`.
    """
    if section == "IfVersion":
        return _version(words.split(text), state.version)
    negated = text.lstrip().startswith(b"!")
    found = words.split(text.lstrip()[negated:])
    if not found or not found[0]:
        return Undecided(f"<{section}> asks for nothing", "httpd does not start; name something")
    answer = _asked(section, found[0], state)
    return answer if isinstance(answer, Undecided) else answer is not negated


def _asked(section: str, name: str, state: State) -> bool | Undecided:
    if section == "IfDefine":
        return name in state.variables.flags
    if section == "IfModule":
        there = state.modules.has(name)
        return _no_module_list(name) if there is None else there
    if section == "IfFile":
        return _file(PurePosixPath(absolute(state.server_root, name)), state)
    wanted = f"<{name}" if section == "IfSection" else name
    owner = owners.owner(wanted)
    there = None if owner is None else state.modules.has(owner)
    if there is None:
        return Undecided(
            f"<{section} {name}> asks for a directive of which only httpd knows whose it is",
            "ask for its module with <IfModule>",
        )
    return there


def _file(path: PurePosixPath, state: State) -> bool | Undecided:
    try:
        return state.files.exists(path)
    except Unreadable as error:
        return Undecided(
            f"whether {path} exists cannot be told: {error.problem}",
            error.hint or "run staplecfg as root",
        )


def _no_module_list(name: str) -> Undecided:
    return Undecided(
        f"<IfModule {name}> asks for a module of which only the server itself can say whether "
        "it is there",
        "ask by the identifier that LoadModule uses, or run staplecfg where the server is",
    )


def _version(args: tuple[str, ...], version: tuple[int, ...]) -> bool | Undecided:
    operator, *rest = args if len(args) > 1 else ("=", *args)
    found = _OPERATOR.fullmatch(operator)
    if found is None or len(rest) != 1 or not rest[0]:
        return _no_version(args)
    wanted = rest[0]
    if not version:
        return Undecided(
            f"<IfVersion {' '.join(args)}> asks for httpd's version, which is not known here",
            "run staplecfg where the server is",
        )
    kind, equal = found[2] or found[4], found[3] or ""
    if kind == "=" and wanted.startswith("/"):
        if not wanted[1:].endswith("/"):
            return _no_version(args)
        kind, wanted = "~", wanted[1:-1]
    answer = _matched(wanted, version) if kind == "~" else _compared(kind + equal, wanted, version)
    return _no_version(args) if answer is None else answer is not bool(found[1])


def _compared(operator: str, wanted: str, version: tuple[int, ...]) -> bool | None:
    if _NUMBERS.fullmatch(wanted) is None:
        return None
    given = (*map(int, wanted.split(".")), 0, 0)[:3]
    ours = (*version, 0, 0)[:3]
    if ours == given:
        return "=" in operator
    return operator[0] == ("<" if ours < given else ">")


def _matched(wanted: str, version: tuple[int, ...]) -> bool | None:
    try:
        return re.search(wanted, ".".join(map(str, version))) is not None
    except re.error:
        return None


def _no_version(args: tuple[str, ...]) -> Undecided:
    return Undecided(
        f"<IfVersion {' '.join(args)}> is no comparison we know",
        "write <IfVersion >= 2.4.0>, or a regular expression between slashes",
    )
