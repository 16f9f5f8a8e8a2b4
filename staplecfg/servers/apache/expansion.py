"""A directive as httpd reads it at one place: macro parameters and variables put in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from staplecfg.servers.apache import words
from staplecfg.servers.apache.lines import BLANKS
from staplecfg.servers.apache.macros import put_in
from staplecfg.servers.apache.names import canonical

if TYPE_CHECKING:
    from staplecfg.model.directive import Directive
    from staplecfg.model.source import Location
    from staplecfg.servers.apache.macros import Substitution
    from staplecfg.servers.apache.sources import Text
    from staplecfg.servers.apache.variables import Variables


@dataclass(frozen=True, slots=True)
class Met:
    """A directive that httpd carries out, at the place and in the order it does.

    `directive` has its arguments as they are after all has been put in; its
    line and span are those of `text`. `children` are None for what is no
    section. `used_at` are the `Use` lines that lead here, outermost first.
    """

    directive: Directive
    text: Text
    used_at: tuple[Location, ...] = ()
    children: tuple[Met, ...] | None = None
    parameters: tuple[str, ...] = ()
    """Of the macros in whose bodies a section stands: what is replaced in its lines."""

    @property
    def name(self) -> str:
        """The directive's name."""
        return self.directive.name

    @property
    def location(self) -> Location:
        """Where it stands."""
        return self.text.at(self.directive)


def argument_text(line: bytes) -> bytes:
    """Return the arguments of an opening `line`: between the name and the last `>`."""
    _, rest = words.next_word(line)
    return line[rest : max(line.rfind(b">"), rest)]


def read_line(
    directive: Directive,
    text: Text,
    substitutions: tuple[Substitution, ...],
    variables: Variables,
) -> bytes:
    """Return the line of `directive` as httpd looks for words in it; empty where nothing is left.

    Raises `ValueError`, with what is wrong, where the line joins the one after it.
    """
    line = put_in(text.opening(directive), substitutions).strip(BLANKS)
    if substitutions and line.endswith(b"\\"):
        raise ValueError("ends in a backslash with what is put in, and so joins the next line")
    return b"" if line.startswith(b"#") else variables.expand(line)


def as_read(directive: Directive, line: bytes) -> Directive | None:
    """Return `directive` with the name and arguments that its `line` has now, None if it has none.

    Raises `ValueError` where a section stops being one, or another directive begins one.
    """
    word, rest = words.next_word(line)
    if word is None and directive.block is None:
        return None
    if word is None:
        raise ValueError("disappears with what is put in, and its end tag does not")
    if word.startswith(b"<") is not (directive.block is not None):
        raise ValueError("begins or ends a section by what is put in")
    name = word.decode("utf-8", "surrogateescape")
    if directive.block is None:
        return replace(directive, name=canonical(name), args=words.split(line[rest:]))
    args = words.split(argument_text(line))
    return replace(directive, name=canonical(name.removesuffix(">")[1:]), args=args)
