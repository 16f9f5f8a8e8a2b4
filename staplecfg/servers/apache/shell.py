"""The few lines of shell that set a service's variables, read without a shell (POSIX 2.6, 2.9).

Assignments, `export`, `unset`, `if [ ... ]` with one comparison, and parameter
expansion: what Debian's envvars is made of. Anything else is said to be not
understood, and what it would have set counts as unknown.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from staplecfg.servers.apache.shell_words import NotPlain, commands, expanded

if TYPE_CHECKING:
    from collections.abc import Mapping

_ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)", re.DOTALL)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SETS = re.compile(r"(?<![\w-])([A-Za-z_][A-Za-z0-9_]*)=")
_COMPARE = {"=": True, "==": True, "!=": False}
_TEST_WORDS = 3


@dataclass(frozen=True, slots=True)
class Variables:
    """What the lines set: every variable, which are exported, and the lines not understood."""

    values: Mapping[str, str]
    exported: Mapping[str, str]
    odd: tuple[tuple[int, str], ...] = ()
    """Line number, from 1, and why."""


def variables(text: str, given: Mapping[str, str], *, export: bool = False) -> Variables:
    """Return what the lines of `text` set, begun with the variables `given`.

    `export` says that every one of them reaches the service (systemd's
    EnvironmentFile, `set -a`).
    """
    reader = _Reader(dict(given))
    for number, line in enumerate(text.splitlines(), 1):
        try:
            for words in commands(line):
                reader.command(words)
        except NotPlain as odd:
            reader.forget(line)
            reader.odd.append((number, str(odd)))
    if reader.branches:
        reader.odd.append((len(text.splitlines()), "an `if` without its `fi`"))
    names = reader.values.keys() - given.keys() if export else reader.exports
    exported = {name: reader.values[name] for name in sorted(names) if name in reader.values}
    return Variables(reader.values, exported, tuple(reader.odd))


@dataclass
class _Reader:
    values: dict[str, str]
    exports: set[str] = field(default_factory=set)
    odd: list[tuple[int, str]] = field(default_factory=list)
    branches: list[bool | None] = field(default_factory=list)
    """Of each `if` that is open, whether its present branch is taken; None: nobody can say."""

    def command(self, words: list[str]) -> None:
        """Do what one command does; raises `NotPlain` where it is none of ours."""
        first, rest = words[0], words[1:]
        if first == "if":
            self.branches.append(None)
            self.branches[-1] = self._holds(rest)
        elif first == "then" and self.branches:
            self._rest(rest)
        elif first == "else" and self.branches:
            taken = self.branches[-1]
            self.branches[-1] = None if taken is None else not taken
            self._rest(rest)
        elif first == "fi" and self.branches and not rest:
            self.branches.pop()
        elif None in self.branches:
            raise NotPlain("it hangs on a condition that was not understood")
        elif all(self.branches):
            self._simple(first, rest)

    def forget(self, line: str) -> None:
        """Count what an odd `line` may set as unknown, rather than as it was before."""
        if False in self.branches:
            return
        for name in _SETS.findall(line):
            self.values.pop(name, None)

    def _rest(self, words: list[str]) -> None:
        if words:
            self.command(words)

    def _simple(self, first: str, rest: list[str]) -> None:
        if first == "export":
            self.exports |= {self._named(word) for word in rest}
        elif first == "unset" and all(map(_NAME.fullmatch, rest)):
            for name in rest:
                self.values.pop(name, None)
                self.exports.discard(name)
        elif first == ":" and not rest:
            pass
        elif all(map(_ASSIGNMENT.match, (first, *rest))):
            for word in (first, *rest):
                self._named(word)
        else:
            raise NotPlain(f"`{first}` is a command")

    def _named(self, word: str) -> str:
        """Assign, if `word` does; return the name in it."""
        assignment = _ASSIGNMENT.match(word)
        if assignment is not None:
            self.values[assignment[1]] = expanded(assignment[2], self.values)
            return assignment[1]
        if _NAME.fullmatch(word) is None:
            raise NotPlain(f"`{word}` is no name")
        return word

    def _holds(self, words: list[str]) -> bool:
        """Return what the test `[ ... ]` says; raises `NotPlain` where it is another."""
        if not all(self.branches[:-1]):
            return False
        if words[:1] != ["["] or words[-1:] != ["]"]:
            raise NotPlain("a condition that is not `[ ... ]`")
        inner = words[1:-1]
        if len(inner) == _TEST_WORDS and inner[1] in _COMPARE:
            return (self._one(inner[0]) == self._one(inner[2])) is _COMPARE[inner[1]]
        if len(inner) == _TEST_WORDS - 1 and inner[0] in {"-n", "-z"}:
            return (self._one(inner[1]) == "") is (inner[0] == "-z")
        raise NotPlain("a condition other than a comparison of two words")

    def _one(self, word: str) -> str:
        """Return what `word` of a test stands for; without quotes it must stay one word."""
        value = expanded(word, self.values)
        if '"' not in word and value.split() != [value]:
            raise NotPlain(f"`{word}` without quotes may be no word, or several")
        return value
