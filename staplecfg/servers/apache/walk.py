"""From the main file on, in httpd's own order: everything that takes effect, and where it stands.

httpd carries out some directives while it reads (EXEC_ON_READ): includes,
definitions, macros, modules, and the sections that depend on them. What comes
after them depends on them, whatever section they stand in.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from staplecfg.servers.apache import includes, trouble, uses
from staplecfg.servers.apache.conditions import Undecided, decide
from staplecfg.servers.apache.expansion import Met, argument_text, as_read, read_line
from staplecfg.servers.apache.frame import Frame
from staplecfg.servers.apache.names import READ_AT_ONCE
from staplecfg.servers.apache.scan import walk as descend
from staplecfg.servers.apache.state import TELLING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from staplecfg.model.directive import Directive
    from staplecfg.servers.apache.sources import Sources, Text
    from staplecfg.servers.apache.state import State

MOST_LEVELS = 200
"""Includes, macros and sections together: far more than anybody writes, and we recurse."""

_CHANGES_ALL = TELLING | {*includes.NAMES, "Use", "Macro", "UndefMacro", "VirtualHost", "Perl"}
_CHANGES_TLS = ("SSL", "MD")
_NAMES = frozenset({"ServerName", "ServerAlias"})


class Walk:
    """One reading of a configuration."""

    def __init__(self, sources: Sources, state: State) -> None:
        self.sources = sources
        self.state = state
        self.trouble = trouble.Trouble()
        self.includes = includes.Includes(sources, self.trouble)

    def run(self, main: Text) -> list[Met]:
        """Return what takes effect, from the first line of `main` to the last."""
        met: list[Met] = []
        with contextlib.suppress(trouble.Halt):  # told already, and nothing is edited
            self._follow(main.directives, Frame(main), met)
        return met

    def _follow(self, directives: Iterable[Directive], frame: Frame, met: list[Met]) -> None:
        text = frame.text
        used = bool(frame.substitutions)
        for written in directives:
            if frame.level == MOST_LEVELS:
                self._too_deep(written, frame)
            plain = not used and text.is_plain(written)
            directive = written if plain else self._read(written, frame)
            if directive is None:
                continue
            if directive.block is None:
                self._simple(directive, frame, met)
            else:
                self._section(directive, frame, met)

    def _read(self, written: Directive, frame: Frame) -> Directive | None:
        try:
            line = self._line(written, frame)
            return as_read(written, line)
        except ValueError as error:
            self.trouble.blind(
                trouble.PUT_IN,
                frame.text.at(written),
                f"this line {error}",
                "write out what the variable or the macro's parameter stands for",
            )
        return None

    def _line(self, written: Directive, frame: Frame) -> bytes:
        return read_line(written, frame.text, frame.substitutions, self.state.variables)

    def _simple(self, directive: Directive, frame: Frame, met: list[Met]) -> None:
        name = directive.name
        if name in includes.NAMES:
            for text in self.includes.texts(directive, frame, self.state):
                self._follow(text.directives, frame.include(text), met)
        elif name == "Use":
            inner = uses.use(directive, frame, self.state.macros, self.trouble)
            if inner is not None:
                macro = self.state.macros[inner.macros[-1]]
                self._follow(macro.body, inner, met)
        elif name == "UndefMacro":
            uses.forget(directive, frame, self.state.macros, self.trouble)
        else:
            if name in TELLING:
                self._learn(directive, frame)
            met.append(Met(directive, frame.text, frame.used_at))

    def _section(self, directive: Directive, frame: Frame, met: list[Met]) -> None:
        name = directive.name
        children = directive.block.children if directive.block else ()
        if name in READ_AT_ONCE:
            self._condition(directive, children, frame, met)
        elif name == "Macro":
            text = argument_text(self._line(directive, frame))
            uses.define(directive, text, frame, self.state.macros, self.trouble)
        elif name == "Perl":
            self.trouble.blind(
                trouble.FOREIGN,
                frame.text.at(directive),
                "what this Perl program configures cannot be told without running it",
                "write the directives themselves, or edit by hand",
            )
        else:
            inside: list[Met] = []
            self._follow(children, frame.section(opens_site=name == "VirtualHost"), inside)
            met.append(Met(directive, frame.text, frame.used_at, tuple(inside), frame.parameters))

    def _condition(
        self,
        directive: Directive,
        children: tuple[Directive, ...],
        frame: Frame,
        met: list[Met],
    ) -> None:
        answer = decide(directive.name, argument_text(self._line(directive, frame)), self.state)
        if answer is True:
            self._follow(children, frame.section(), met)
            return
        self.includes.passed_over(children, self.state)
        if isinstance(answer, Undecided):
            self._undecided(answer, directive, frame)

    def _undecided(self, answer: Undecided, directive: Directive, frame: Frame) -> None:
        """Report a condition as far as it matters: what it can change is not edited."""
        names = {each.name for each in descend([directive])}
        at = frame.text.at(directive)
        tls = any(name.startswith(_CHANGES_TLS) for name in names)
        if not _CHANGES_ALL.isdisjoint(names) or (tls and frame.site is None):
            self.trouble.uncertain(at, answer.problem, answer.hint, None)
        elif frame.site is not None and (tls or not _NAMES.isdisjoint(names)):
            files = (frame.text.file, frame.site.file)
            self.trouble.uncertain(at, answer.problem, answer.hint, files)

    def _learn(self, directive: Directive, frame: Frame) -> None:
        if not self.state.learn(directive):
            self.trouble.tell(
                trouble.DEFINE,
                frame.text.at(directive),
                f"`{' '.join(directive.words)}` is nothing httpd can carry out",
                "see the manual for its arguments; a name has no colon, a ServerRoot is absolute",
            )

    def _too_deep(self, written: Directive, frame: Frame) -> None:
        self.trouble.blind(
            trouble.DEPTH,
            frame.text.at(written),
            f"more than {MOST_LEVELS} sections, includes and macros stand in one another",
            "look for an include or a macro that leads back to itself",
        )
        raise trouble.Halt
