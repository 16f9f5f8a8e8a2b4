"""The directives of a file, each with the bytes it stands on: the reading all edits go by."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from staplecfg.model.directive import Block, Directive
from staplecfg.model.errors import NotUnderstood
from staplecfg.model.source import Location, Span
from staplecfg.servers.nginx.tokens import Kind, line_of, tokens

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import PurePosixPath

DEEPEST = 64
"""How deep blocks may nest before we refuse: what compares trees recurses; nobody writes this."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"

_FREE_NAMES = frozenset(
    {"map", "geo", "types", "split_clients", "charset_map", "geoip2", "match", "upstream_conf"}
)
"""Blocks whose lines begin with anything at all, not with a directive's name."""


_INVISIBLE = frozenset("\u200b\ufeff\udca0")


class _Open(NamedTuple):
    """A block whose `}` has not come yet."""

    words: tuple[str, ...]
    line: int
    start: int
    inside: int
    siblings: list[Directive]
    """What stood before it in the block around it."""


def scan(data: bytes, path: PurePosixPath) -> tuple[Directive, ...]:
    """Return the directives of `data`, read as nginx reads them.

    Raises `NotUnderstood`, with the line and what to do, for every file whose
    words and braces nginx would not accept. What directives mean, and whether
    they exist, is not looked at.
    """
    if data.startswith(_BYTE_ORDER_MARK):
        raise NotUnderstood(
            "starts with a byte order mark, which nginx takes for part of the first word",
            at=Location(path, 1),
            hint="save the file as UTF-8 without a byte order mark",
        )
    return _Tree(data, path).build()


def walk(directives: Iterable[Directive]) -> Iterator[Directive]:
    """Yield `directives` and all that stand in their blocks, in the order of the file."""
    pending = list(directives)[::-1]
    while pending:
        directive = pending.pop()
        yield directive
        if directive.block is not None:
            pending += directive.block.children[::-1]


class _Tree:
    """The tree as far as it has been read. A stack of our own: nesting is the file's choice."""

    def __init__(self, data: bytes, path: PurePosixPath) -> None:
        self.data = data
        self.path = path
        self.open: list[_Open] = []
        self.siblings: list[Directive] = []
        self.words: list[str] = []
        self.start = 0
        self.line = 1
        self.counted = 0
        self.opaque = False

    def build(self) -> tuple[Directive, ...]:
        """Read to the end."""
        word, mark, lua = Kind.WORD, Kind.MARK, Kind.LUA
        for kind, start, end, value in tokens(self.data, self.path):
            if kind == word:
                if not self.words:
                    self._begin(start)
                self.words.append(value)
            elif kind == mark and value == "}":
                self._ascend(start, end)
            elif kind == mark:
                self._end_words(value, start, end)
            elif kind == lua:
                self.opaque = True
        self._require_finished()
        return tuple(self.siblings)

    def _begin(self, start: int) -> None:
        self.line += self.data.count(b"\n", self.counted, start)
        self.counted = self.start = start

    def _end_words(self, mark: str, start: int, end: int) -> None:
        if not self.words:
            raise self._problem(f"unexpected {mark}", start, "put a directive before it")
        if not self.words[0].isascii():
            self._require_name(self.words[0])
        if mark == "{":
            self._descend(end)
        else:
            name, *args = self.words
            self.siblings.append(Directive(name, tuple(args), self.line, Span(self.start, end)))
        self.words = []

    def _descend(self, inside: int) -> None:
        if len(self.open) == DEEPEST:
            raise self._problem(
                f"more than {DEEPEST} blocks stand inside one another",
                self.start,
                "look for missing closing braces",
            )
        self.open.append(_Open(tuple(self.words), self.line, self.start, inside, self.siblings))
        self.siblings = []

    def _ascend(self, start: int, end: int) -> None:
        if self.words:
            raise self._problem(
                f"the directive {_brief(self.words[0])} is not finished before the }}",
                self.start,
                "end it with a ;",
            )
        if not self.open:
            raise self._problem(
                "unexpected }: no block is open here", start, "take it out, or add the missing {"
            )
        words, line, opened, inside, siblings = self.open.pop()
        block = Block(Span(inside, start), tuple(self.siblings), self.opaque)
        siblings.append(Directive(words[0], words[1:], line, Span(opened, end), block))
        self.siblings = siblings
        self.opaque = False

    def _require_name(self, name: str) -> None:
        """Refuse a name with a blank that only looks like one: nginx knows no such directive."""
        if self.open and self.open[-1].words[0] in _FREE_NAMES:
            return
        # \udca0 is the no-break space of Latin-1, undecodable as UTF-8.
        if any((mark.isspace() and not mark.isascii()) or mark in _INVISIBLE for mark in name):
            raise self._problem(
                f'a blank that nginx takes for a letter stands in "{name}"',
                self.start,
                "put an ordinary blank in its place (it was probably pasted from a web page)",
            )

    def _require_finished(self) -> None:
        if self.words:
            raise self._problem(
                f"the file ends before the directive {_brief(self.words[0])} does",
                self.start,
                "end it with a ;",
            )
        if self.open:
            left = self.open[-1]
            raise self._problem(
                f"the block {_brief(left.words[0])} that opens here is never closed",
                left.start,
                "add the missing }",
            )

    def _problem(self, problem: str, at: int, hint: str) -> NotUnderstood:
        return NotUnderstood(problem, at=Location(self.path, line_of(self.data, at)), hint=hint)


def _brief(word: str) -> str:
    """Return `word` for a message; in a file that is no configuration it can be all of it."""
    most = 60
    return word if len(word) <= most else f"{word[:most]}..."
