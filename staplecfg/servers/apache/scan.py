"""The directives of a file, each with the bytes it stands on: the reading all edits go by."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from staplecfg.model.directive import Block, Directive
from staplecfg.model.errors import NotUnderstood
from staplecfg.model.source import Location, Span
from staplecfg.servers.apache import words
from staplecfg.servers.apache.lines import BLANKS, Line, line_of, lines
from staplecfg.servers.apache.misreading import brief, misreading
from staplecfg.servers.apache.names import READ_AT_ONCE, canonical

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import PurePosixPath

DEEPEST = 64
"""How deep sections may nest before we refuse: what compares trees recurses; nobody writes this."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class _Open(NamedTuple):
    """A section whose end tag has not come yet."""

    name: str
    """As written, without its bracket."""
    args: tuple[str, ...]
    line: Line
    siblings: list[Directive]
    """What stood before it in the section around it."""


def scan(data: bytes, path: PurePosixPath) -> tuple[Directive, ...]:
    """Return the directives of `data`, read as httpd 2.4 reads them.

    Raises `NotUnderstood`, with the line and what to do, for every file whose
    sections httpd would not accept, and for those it accepts by accident: a
    section that is left open at the end. What directives mean, and whether they
    exist, is not looked at; `${NAME}` stays as written.
    """
    if data.startswith(_BYTE_ORDER_MARK):
        raise NotUnderstood(
            "starts with a byte order mark, which httpd takes for part of the first word",
            at=Location(path, 1),
            hint="save the file as UTF-8 without a byte order mark",
        )
    return _Tree(data, path).build()


def walk(directives: Iterable[Directive]) -> Iterator[Directive]:
    """Yield `directives` and all that stand in their sections, in the order of the file."""
    pending = list(directives)[::-1]
    while pending:
        directive = pending.pop()
        yield directive
        if directive.block is not None:
            pending += directive.block.children[::-1]


def last_line(data: bytes, directive: Directive) -> int:
    """Return the line httpd's own messages and dumps give `directive`.

    They count the last physical line of a continued one; for a section, of its
    opening line.
    """
    block = directive.block
    return line_of(data, directive.span.end if block is None else block.inside.start)


def is_raw(name: str) -> bool:
    """Say whether a section holds another language: Perl, or Lua for one of mod_lua's hooks."""
    return name.lower() == "perl" or name.lower().startswith("lua")


class _Tree:
    """The tree as far as it has been read. A stack of our own: nesting is the file's choice."""

    def __init__(self, data: bytes, path: PurePosixPath) -> None:
        self.data = data
        self.path = path
        self.open: list[_Open] = []
        self.siblings: list[Directive] = []

    def build(self) -> tuple[Directive, ...]:
        """Read to the end."""
        for line in lines(self.data, self.path):
            if self.open and is_raw(self.open[-1].name):
                if line.text[:2] == b"</" and self._ends_raw(line):
                    self._close(line, opaque=True)
                continue
            word, rest = words.next_word(line.text)
            if not word or word == b">":
                raise self._problem("a directive cannot have an empty name", line, "take it out")
            if word.startswith(b"</"):
                self._end(line, word)
                continue
            if word.endswith(b">") and word[1:2] != b"/":
                word = word[:-1]
            name = word.decode("utf-8", "surrogateescape")
            misread = misreading(name, line.text, (each.name for each in self.open))
            if misread is not None:
                raise self._problem(misread.problem, line, misread.hint)
            if name.startswith("<"):
                self._descend(line, name[1:], line.text[rest:])
            else:
                args = words.split(line.text[rest:])
                span = Span(line.first, line.end)
                self.siblings.append(Directive(canonical(name), args, line.number, span))
        if self.open:
            left = self.open[-1]
            raise self._problem(
                f"the section <{brief(left.name)}> that opens here is never closed",
                left.line,
                f"add the missing </{brief(left.name)}>, alone on its line",
            )
        return tuple(self.siblings)

    def _descend(self, line: Line, name: str, rest: bytes) -> None:
        if not name:
            raise self._problem("a section has no name", line, "write it directly behind the <")
        bracket = rest.rfind(b">")
        if bracket < 0 and rest:
            raise self._problem(
                f"the section <{brief(name)} has no closing >", line, "end the line with a >"
            )
        if len(self.open) == DEEPEST:
            raise self._problem(
                f"more than {DEEPEST} sections stand inside one another",
                line,
                "look for missing end tags",
            )
        args = words.split(rest[: max(bracket, 0)])
        self.open.append(_Open(name, args, line, self.siblings))
        self.siblings = []

    def _end(self, line: Line, word: bytes) -> None:
        tag = word.decode("utf-8", "surrogateescape")
        if not self.open:
            raise self._problem(
                f"unexpected {brief(tag)}: no section is open here",
                line,
                "take it out, or add what opens it",
            )
        expected = f"</{self.open[-1].name}>"
        if _lower(tag) != _lower(expected):
            raise self._problem(
                f"{brief(tag)} stands where {brief(expected)} is due, which closes line "
                f"{self.open[-1].line.number}",
                line,
                "close sections in the reverse order of their opening",
            )
        if canonical(self.open[-1].name) in READ_AT_ONCE and len(line.text) != len(word):
            raise self._problem(
                f"httpd does not take {brief(tag)} for an end where more stands on the line",
                line,
                "put it on a line of its own, without quotes",
            )
        self._close(line)

    def _ends_raw(self, line: Line) -> bool:
        name = self.open[-1].name.encode("utf-8", "surrogateescape").lower()
        return line.text[2:].lower().startswith(name)

    def _close(self, line: Line, *, opaque: bool = False) -> None:
        opened = self.open.pop()
        block = Block(Span(opened.line.end, line.first), tuple(self.siblings), opaque)
        span = Span(opened.line.first, self._end_of_tag(line))
        name = canonical(opened.name)
        opened.siblings.append(Directive(name, opened.args, opened.line.number, span, block))
        self.siblings = opened.siblings

    def _end_of_tag(self, line: Line) -> int:
        """Return where the end tag of `line` ends; all of the line where it is a joined one."""
        if not self.data.startswith(line.text, line.first):
            return line.end
        _, rest = words.next_word(line.text)
        return line.first + len(line.text[:rest].rstrip(BLANKS))

    def _problem(self, problem: str, line: Line, hint: str) -> NotUnderstood:
        return NotUnderstood(problem, at=Location(self.path, line.number), hint=hint)


def _lower(tag: str) -> str:
    """Return `tag` in lower case as httpd has it: only the letters of ASCII change."""
    return tag.encode("utf-8", "surrogateescape").lower().decode("utf-8", "surrogateescape")
