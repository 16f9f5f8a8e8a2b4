"""A statement of a configuration, with the bytes it stands on."""

from __future__ import annotations

from dataclasses import dataclass

from staplecfg.model.source import Span


@dataclass(frozen=True, slots=True)
class Block:
    """What stands between a block's delimiters.

    `inside` is the span between them (nginx: after `{`, up to `}`). `opaque`
    blocks hold another language (Lua) and have no children.
    """

    inside: Span
    children: tuple[Directive, ...]
    opaque: bool = False


@dataclass(frozen=True, slots=True)
class Directive:
    """One directive: its name and arguments as the server reads them (unquoted, unescaped).

    Values are `str` by surrogateescape, so undecodable bytes survive. `span`
    runs from the first byte of the name to the end of the `;` or of the closing
    delimiter. `line` is the line of the name, from 1.
    """

    name: str
    args: tuple[str, ...]
    line: int
    span: Span
    block: Block | None = None

    @property
    def words(self) -> tuple[str, ...]:
        """The name and the arguments: what makes two simple directives equal."""
        return (self.name, *self.args)


def whole(data: bytes, directives: tuple[Directive, ...]) -> Directive:
    """Return the file `data` itself, with its `directives`, as a block without a name."""
    everything = Span(0, len(data))
    return Directive("", (), 1, everything, Block(everything, directives))
