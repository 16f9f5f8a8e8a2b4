"""The files in state: which staple each site key serves now, or that it serves none."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from staplecfg.model.change import Change, Content, Kind
from staplecfg.model.staple import CertStatus, Staple
from staplecfg.planning import render

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from staplecfg.model.facts import Facts
    from staplecfg.model.filesystem import Filesystem
    from staplecfg.servers.interface import Delivery, Dialect, StateFile

NEXT_RUN = timedelta(minutes=75)
"""The next run of the schedule comes no later: hourly, and up to ten minutes of delay."""

READABLE = 0o644

SILENT = """\
# written by staplecfg, which says nothing here: {names} stands in the block itself
"""

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)

_ANY_STAPLE = Staple(
    der=b"",
    fingerprint="0" * 64,
    serial=0,
    status=CertStatus.GOOD,
    produced_at=_EPOCH,
    this_update=_EPOCH,
    next_update=_EPOCH,
    responder_expires=None,
    signer="",
)
"""Served to nobody: it only makes a template say what it would say if there were a staple."""


@dataclass(frozen=True, slots=True)
class State:
    """`changes` first what is named, then what names it; `paths` is all that is in use."""

    changes: tuple[Change, ...]
    paths: frozenset[PurePosixPath]


def state(
    keys: Mapping[str, str | None],
    taken: Mapping[str, frozenset[str]],
    facts: Facts,
    delivery: Delivery,
    dialect: Dialect,
) -> State:
    """Return what must change for each of `keys` to serve its certificate's staple.

    `keys` maps a site key to the fingerprint of its leaf, or to None where no
    staple would be right for everyone who reads that key: it is then withdrawn.
    `taken` are the directives that a block reading the key has already: what would
    repeat one says nothing instead, for the server would refuse everything.
    """
    wanted: dict[PurePosixPath, tuple[Kind, Content]] = {}
    for key, fingerprint in keys.items():
        staple = None if fingerprint is None else servable(fingerprint, facts)
        for each in delivery.state(key, staple, facts.settings.state_dir):
            beside = taken.get(key, frozenset())
            wanted[each.path] = (each.kind, _content(each, beside, facts, dialect))
    changes = [
        Change(facts.files.resolve(path), kind, before, content)
        for path, (kind, content) in wanted.items()
        if not content.same(before := present(path, facts.files))
    ]
    changes.sort(key=lambda change: change.kind is not Kind.STAPLE)
    return State(tuple(changes), frozenset(wanted))


def servable(fingerprint: str, facts: Facts) -> Staple | None:
    """Return the staple of this leaf if it may be served until the next run, else None.

    The server that reads it does not look at its end. So it is withdrawn at the
    last run before that: `NEXT_RUN` ahead, or a tenth of its life where that is
    less. A renewal falls due at half-life; this late, it has failed for long.
    """
    stored = facts.stored.get(fingerprint)
    staple = stored.staple if stored is not None else None
    if staple is None or staple.fingerprint != fingerprint or staple.status is not CertStatus.GOOD:
        return None
    margin = min(NEXT_RUN, (staple.expires - staple.this_update) / 10)
    if facts.now + margin >= staple.expires:
        return None
    if staple.this_update > facts.now + facts.settings.floors.skew:
        return None
    return staple


def claimed(key: str, facts: Facts, delivery: Delivery, dialect: Dialect) -> frozenset[str]:
    """Return the names of the directives that the state of `key` holds, now or at another time."""
    state_dir = facts.settings.state_dir
    return frozenset(
        words[0]
        for staple in (None, _ANY_STAPLE)
        for each in delivery.state(key, staple, state_dir)
        if each.template is not None
        for words in render.words(facts.templates, each.template, each.variables or {}, dialect)
    )


def named_by(
    keys: Iterable[str], facts: Facts, delivery: Delivery, dialect: Dialect
) -> frozenset[PurePosixPath]:
    """Return the state that stands on disk for `keys` that another configuration reads."""
    state_dir = facts.settings.state_dir
    found: set[PurePosixPath] = set()
    for key in keys:
        for each in delivery.state(key, None, state_dir):
            content = present(each.path, facts.files)
            found.add(each.path)
            directives = dialect.parse(content.data, each.path) if content is not None else ()
            found |= {
                PurePosixPath(arg)
                for directive in directives
                for arg in directive.args
                if state_dir in PurePosixPath(arg).parents
            }
    return frozenset(found)


def present(path: PurePosixPath, files: Filesystem) -> Content | None:
    """Return what stands at `path`, or None where nothing does."""
    return Content(files.read(path)) if files.exists(path) else None


def _content(each: StateFile, taken: frozenset[str], facts: Facts, dialect: Dialect) -> Content:
    if each.template is None:
        return each.content or Content(mode=READABLE)
    text, lines = render.text(facts.templates, each.template, each.variables or {})
    words = render.parsed(text, lines, facts.templates.by_name[each.template].path, dialect)
    repeated = sorted({name for name, *_ in words} & taken)
    if repeated:
        text = SILENT.format(names=", ".join(repeated))
    return Content(text.encode("utf-8", "surrogateescape"), mode=READABLE)
