"""Directives where they take effect: includes in place, blocks entered, origins remembered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import PurePosixPath

    from staplecfg.model.directive import Directive
    from staplecfg.model.site import SourceFile
    from staplecfg.servers.nginx.includes import Sources

CONTEXTS = ("http", "stream", "mail")
"""The blocks whose `server` blocks may speak TLS."""


class Placed(NamedTuple):
    """A directive in effect in a block. `included` says an include of that block led to it."""

    directive: Directive
    source: SourceFile
    included: bool


@dataclass(frozen=True, slots=True)
class Context:
    """One http, stream or mail block: its own directives, and its server blocks."""

    name: str
    settings: tuple[Placed, ...]
    servers: tuple[ServerBlock, ...]


@dataclass(frozen=True, slots=True)
class ServerBlock:
    """One server block and the directives in effect of its own or by include."""

    opened: Placed
    settings: tuple[Placed, ...]


def placed(
    directives: Sequence[Directive], source: SourceFile, sources: Sources
) -> Iterator[Placed]:
    """Yield `directives` of `source`, those of included files in the place of the include.

    An include that leads back into a file being read is passed over: it has a
    finding of its own.
    """
    ahead: list[tuple[Iterator[Directive], SourceFile, tuple[PurePosixPath, ...]]] = [
        (iter(directives), source, (source.file,))
    ]
    while ahead:
        rest, where, trail = ahead[-1]
        directive = next(rest, None)
        if directive is None:
            ahead.pop()
        elif directive.name != "include" or directive.block is not None:
            yield Placed(directive, where, len(trail) > 1)
        else:
            targets = sources.targets.get((where.file, directive.span.start), ())
            for target in reversed(targets):
                if target not in trail:
                    included = sources.files[target]
                    ahead.append((iter(included.directives), included, (*trail, target)))


def contexts(top: Sequence[Placed], sources: Sources) -> tuple[Context, ...]:
    """Return the http, stream and mail blocks among `top`, the main context's directives."""
    return tuple(
        _context(each, sources)
        for each in top
        if each.directive.name in CONTEXTS and each.directive.block is not None
    )


def in_effect(inside: Sequence[Placed]) -> tuple[Placed, ...]:
    """Return the directives of `inside` that set something: simple ones, and Lua."""
    return tuple(
        each for each in inside if each.directive.block is None or each.directive.block.opaque
    )


def _context(opened: Placed, sources: Sources) -> Context:
    inside = _inside(opened, sources)
    servers = {
        # A file reached by two names is read twice by nginx, which then ignores
        # the second block's names: one block, one site.
        (each.source.file, each.directive.span): each
        for each in inside
        if each.directive.name == "server" and each.directive.block is not None
    }
    return Context(
        opened.directive.name,
        in_effect(inside),
        tuple(ServerBlock(each, in_effect(_inside(each, sources))) for each in servers.values()),
    )


def _inside(opened: Placed, sources: Sources) -> list[Placed]:
    block = opened.directive.block
    children = () if block is None else block.children
    return list(placed(children, opened.source, sources))
