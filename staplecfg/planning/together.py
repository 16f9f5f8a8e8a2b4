"""What stands once for a whole server, because the lines of its sites need it.

Somebody else may reload the server between any two writes: what a line needs is
there before the line, and goes after it. A server that is told to staple and has
nowhere to keep responses does not survive a reload (httpd 2.4).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from staplecfg.model.change import Change, Content, Kind
from staplecfg.model.directive import whole
from staplecfg.model.facts import MARK, Made, digest
from staplecfg.model.finding import Finding, Severity
from staplecfg.model.source import Location
from staplecfg.planning.patch import Patch
from staplecfg.planning.pieces import pieces, standing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import PurePosixPath

    from staplecfg.model.facts import Facts
    from staplecfg.model.site import Site, SourceFile
    from staplecfg.planning.pieces import Piece, Pieces
    from staplecfg.planning.ways import Ways
    from staplecfg.servers.interface import Server, Words

NOT_OURS = "shared-file-not-ours"
LEFT = "shared-file-left"


@dataclass(frozen=True, slots=True)
class Together:
    """`before` comes before any site's lines, `after` goes after them; `patch` is the main file's.

    `made` is what the record is to hold. `barred` are the deliveries, by name,
    that cannot have what they need, so that no site may be told to use them;
    `named` those whose files the main file's lines have read.
    """

    before: tuple[Change, ...] = ()
    after: tuple[Change, ...] = ()
    patch: Patch | None = None
    made: tuple[Made, ...] = ()
    findings: tuple[Finding, ...] = ()
    barred: Mapping[str, Finding] = field(default_factory=dict)
    named: tuple[str, ...] = ()


def as_it_is(facts: Facts) -> Together:
    """Return that nothing changes."""
    return Together(made=facts.record.made)


def together(
    users: Mapping[str, Sequence[Site]],
    facts: Facts,
    server: Server,
    ways: Ways,
    *,
    lost: bool,
    all_known: bool,
    parting: bool = False,
) -> Together:
    """Return what must stand for `users`, the sites with lines of ours by delivery, and what goes.

    `lost` says that there is no record: then what can only be ours is told by
    itself. `all_known` says that every site there may be is known; else nothing
    goes. `parting` says that the server may be restarted for it. Raises
    `NotUnderstood` at the place in a template that makes no sense.
    """
    wanted = pieces(users, facts, server, ways, parting=parting)
    own = _told(facts, server, ways) if lost else _own(facts)
    barred = dict(wanted.barred)
    before: list[Change] = []
    made: list[Made] = []
    for piece in wanted.pieces:
        known = next((each for each in own if _is(each, piece)), None)
        now = standing(piece.path, facts.files)
        if piece.content.same(now):
            made += [known] if known is not None else []
        elif now is None or (known is not None and known.stands(now)):
            before.append(Change(piece.path, _kind(piece.content), now, piece.content))
            made.append(Made(_config(facts), piece.path, digest(piece.content)))
        else:
            barred |= dict.fromkeys(piece.deliveries, _foreign(piece.path))
    may_go = all_known and not (barred or wanted.stuck)
    outdated = [each for each in own if not each.words and each.path not in _paths(wanted)]
    after, left = _taken_away(outdated, facts) if may_go else ((), ())
    # What somebody has changed since is his, and so is it that it is read.
    lines = _Lines(wanted, own, _main(facts), may_go=may_go and not left)
    others = [each for each in facts.record.made if each.config != _config(facts)]
    stays = outdated if left or not may_go else ()
    found = (*others, *made, *stays, *lines.made(_config(facts)))
    return Together(
        before=tuple(before),
        after=after,
        patch=lines.patch,
        made=_in_place(found, facts.record.made),
        findings=(*wanted.findings, *left, *barred.values()),
        barred=barred,
        named=wanted.named,
    )


class _Lines:
    """The lines at the top of the main file: what comes, what goes, and whose they are."""

    def __init__(
        self, wanted: Pieces, own: Sequence[Made], main: SourceFile | None, *, may_go: bool
    ) -> None:
        top = () if main is None else main.directives
        there = {each.words for each in top if each.block is None}
        known = {words for each in own for words in each.words}
        self._insert = tuple(each for each in wanted.lines if each not in there)
        gone = [words for words in known - set(wanted.lines) if words in there and may_go]
        # One of each: a second is somebody else's.
        self._drop = tuple(next(each for each in top if each.words == words) for words in gone)
        self._main = main
        ours = [*self._insert, *(each for each in known & there if each not in gone)]
        self._ours: tuple[Words, ...] = tuple(ours)

    @property
    def patch(self) -> Patch | None:
        """Return what changes at the top of the main file, or None."""
        if self._main is None or not (self._insert or self._drop):
            return None
        block = whole(self._main.data, self._main.directives)
        return Patch(self._main.file, block, insert=self._insert, drop=self._drop)

    def made(self, config: PurePosixPath) -> tuple[Made, ...]:
        """Return what is to be remembered of it."""
        if self._main is None or not self._ours:
            return ()
        return (Made(config, self._main.file, words=self._ours),)


def _in_place(found: Sequence[Made], known: Sequence[Made]) -> tuple[Made, ...]:
    """Return `found` in the order of what was `known` before, the new ones last."""
    places = {_place(each): number for number, each in enumerate(known)}
    return tuple(sorted(found, key=lambda each: places.get(_place(each), len(places))))


def _place(each: Made) -> object:
    return each.config, each.path, bool(each.words)


def _own(facts: Facts) -> tuple[Made, ...]:
    return tuple(each for each in facts.record.made if each.config == _config(facts))


def _told(facts: Facts, server: Server, ways: Ways) -> tuple[Made, ...]:
    """Return what can only be ours by the look of it; a module's link may be anybody's."""
    everybody = {each.name: facts.configuration.sites for each in ways.every}
    could_be = pieces(everybody, facts, server, ways)
    found: list[Made] = []
    for piece in could_be.pieces:
        now = standing(piece.path, facts.files)
        if now is None or piece.module:
            continue
        if now.same(piece.content) or (now.link is None and now.data.startswith(MARK)):
            found.append(Made(_config(facts), piece.path, digest(now)))
    main = _main(facts)
    there = {each.words for each in main.directives} if main is not None else set()
    lines = tuple(words for words in could_be.lines if words in there)
    named = (Made(_config(facts), main.file, words=lines),) if main is not None and lines else ()
    return (*found, *named)


def _taken_away(
    outdated: Sequence[Made], facts: Facts
) -> tuple[tuple[Change, ...], tuple[Finding, ...]]:
    """Return the changes that take `outdated` away, last made first, and what is left instead.

    Where somebody has changed one of them, all are: a link may lead there.
    """
    gone: list[Change] = []
    left: list[Finding] = []
    for each in reversed(outdated):
        now = standing(each.path, facts.files)
        if now is not None and each.stands(now):
            gone.append(Change(each.path, _kind(now), now, None))
        elif now is not None:
            left.append(_changed(each.path))
    return (() if left else tuple(gone)), tuple(left)


def _is(each: Made, piece: Piece) -> bool:
    return each.path == piece.path and not each.words


def _paths(wanted: Pieces) -> frozenset[PurePosixPath]:
    return frozenset(piece.path for piece in wanted.pieces)


def _config(facts: Facts) -> PurePosixPath:
    return facts.installation.config


def _main(facts: Facts) -> SourceFile | None:
    return facts.configuration.files.get(facts.files.resolve(facts.configuration.main))


def _kind(content: Content) -> Kind:
    return Kind.CONFIG if content.link is None else Kind.LINK


def _foreign(path: PurePosixPath) -> Finding:
    return Finding(
        NOT_OURS,
        Severity.ERROR,
        Location(path),
        "staplecfg needs this name for a file of its own, and did not write what stands here",
        "move it away, or have it say what `staplecfg explain shared-file-not-ours` tells",
    )


def _changed(path: PurePosixPath) -> Finding:
    return Finding(
        LEFT,
        Severity.WARNING,
        Location(path),
        "staplecfg made this, and somebody has changed it since; it is left as it is",
        "take it away by hand with what has it read, if nothing in it is needed",
    )
