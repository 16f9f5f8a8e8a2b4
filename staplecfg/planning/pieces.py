"""The files, links and lines that deliveries need for a whole server, as bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from staplecfg.model.change import Content
from staplecfg.model.errors import NotUnderstood
from staplecfg.model.facts import MARK
from staplecfg.model.finding import Finding
from staplecfg.model.source import Location
from staplecfg.planning import render

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import PurePosixPath

    from staplecfg.model.facts import Facts
    from staplecfg.model.filesystem import Filesystem
    from staplecfg.model.site import Site
    from staplecfg.planning.ways import Ways
    from staplecfg.servers.interface import Dialect, Server, Shared, SharedFile, Words

HEAD = MARK.decode() + ", which takes it away again: staplecfg remove\n"


@dataclass(frozen=True, slots=True)
class Piece:
    """What is to stand at `path`, for the `deliveries` that need it."""

    path: PurePosixPath
    content: Content
    deliveries: tuple[str, ...]
    module: bool = False
    """A link by which the server loads a module: anybody may have made such a one."""


@dataclass(frozen=True, slots=True)
class Pieces:
    """`pieces` in the order they must come to be; `lines` are the main file's, for `named`.

    `barred` are the deliveries that cannot have what they need; `stuck` says of
    one that nobody uses that it could not tell what must stay.
    """

    pieces: tuple[Piece, ...]
    lines: tuple[Words, ...]
    named: tuple[str, ...]
    findings: tuple[Finding, ...]
    barred: Mapping[str, Finding]
    stuck: bool


def pieces(
    users: Mapping[str, Sequence[Site]],
    facts: Facts,
    server: Server,
    ways: Ways,
    *,
    parting: bool = False,
) -> Pieces:
    """Return what must stand for `users`: the sites that have lines of ours, by delivery.

    `parting` says that what only lingers is not wanted either.

    Raises `NotUnderstood` at the place in a template that makes no sense.
    """
    asked = {each.name: each.shared(users.get(each.name, ()), facts) for each in ways.every}
    told = {name: need for name, need in asked.items() if not isinstance(need, Finding)}
    needs = {name: need for name, need in told.items() if not (parting and need.lingering)}
    barred = {
        name: need for name, need in asked.items() if isinstance(need, Finding) and users.get(name)
    }
    return Pieces(
        pieces=(*_modules(needs, facts), *_files(needs, facts, server), *_links(needs, facts)),
        lines=tuple(dict.fromkeys(line for need in needs.values() for line in need.lines)),
        named=tuple(name for name, need in needs.items() if need.lines),
        findings=tuple(found for need in needs.values() for found in need.findings),
        barred=barred,
        stuck=len(told) + len(barred) < len(asked),
    )


def standing(path: PurePosixPath, files: Filesystem) -> Content | None:
    """Return the file or the link at `path` itself, None where there is neither."""
    link = files.link(path)
    if link is not None:
        return Content(link=link)
    return Content(files.read(path)) if files.exists(path) else None


def _modules(needs: Mapping[str, Shared], facts: Facts) -> Iterator[Piece]:
    links = [(name, link) for name, need in needs.items() for link in need.modules]
    for target in dict.fromkeys(link for _, link in links):
        names = tuple(name for name, link in links if link == target)
        yield Piece(_at(target.path, facts), Content(link=target.target), names, module=True)


def _links(needs: Mapping[str, Shared], facts: Facts) -> Iterator[Piece]:
    links = [(name, link) for name, need in needs.items() for link in need.links]
    for target in dict.fromkeys(link for _, link in links):
        names = tuple(name for name, link in links if link == target)
        yield Piece(_at(target.path, facts), Content(link=target.target), names)


def _files(needs: Mapping[str, Shared], facts: Facts, server: Server) -> Iterator[Piece]:
    parts = [(name, part) for name, need in needs.items() for part in need.files]
    for path in dict.fromkeys(part.path for _, part in parts):
        own = [(name, part) for name, part in parts if part.path == path]
        different: list[SharedFile] = []
        for _, part in own:
            different += [] if part in different else [part]
        text = HEAD + "".join(_text(different, facts, server.dialect))
        content = Content(text.encode("utf-8", "surrogateescape"), mode=0o644)
        yield Piece(_at(path, facts), content, tuple(name for name, _ in own))


def _text(parts: Iterable[SharedFile], facts: Facts, dialect: Dialect) -> Iterator[str]:
    for part in parts:
        text, _ = render.text(facts.templates, part.template, part.variables)
        template = facts.templates.by_name[part.template].path
        try:
            dialect.parse(text.encode("utf-8", "surrogateescape"), template)
        except NotUnderstood as error:
            raise NotUnderstood(
                f"the template's output is no configuration: {error.problem}",
                at=Location(template),
                hint=error.hint,
            ) from None
        yield text


def _at(path: PurePosixPath, facts: Facts) -> PurePosixPath:
    """Return where `path` really is: a link is made itself, never what it leads to."""
    return facts.files.resolve(path.parent) / path.name
