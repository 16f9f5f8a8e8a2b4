"""The files in state: which staple each site key serves now, or that it serves none."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import PurePosixPath
from shlex import quote
from typing import TYPE_CHECKING

from staplecfg.checks.subjects import chains_of
from staplecfg.model.chain import Chain
from staplecfg.model.change import Change, Content, Kind
from staplecfg.model.facts import Stored
from staplecfg.model.finding import Finding, Severity
from staplecfg.model.staple import CertStatus, Staple
from staplecfg.pki.in_common import in_common
from staplecfg.pki.pem import encoded
from staplecfg.planning import render, renewed
from staplecfg.planning.servable import may_be_served, servable
from staplecfg.servers.interface import NOTHING, Held, Serving

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from staplecfg.model.facts import Facts
    from staplecfg.model.filesystem import Filesystem
    from staplecfg.planning.ways import Use
    from staplecfg.servers.interface import Delivery, Dialect, StateFile

READABLE = 0o644

SILENT = """\
# written by staplecfg, which says nothing here: {names} stands in the block itself
"""

ONE_FOR_SEVERAL = "no-common-response"

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
class Ending:
    """A snippet that serves a staple which lives until `expires`."""

    snippet: PurePosixPath
    expires: datetime


@dataclass(frozen=True, slots=True)
class State:
    """`changes` first what is named, then what names it; `paths` is all that is in use.

    `live` are the files whose change takes effect without a reload. `endings`
    are the staples that somebody must take out of service in time, `neutral`
    what then stands in their snippets' place. `digest` differs where what the
    server is to read does: another target may have written it already.
    """

    changes: tuple[Change, ...]
    paths: frozenset[PurePosixPath]
    live: frozenset[PurePosixPath]
    endings: tuple[Ending, ...] = ()
    neutral: Content | None = None
    digest: str = ""


def state(
    keys: Mapping[Use, Sequence[str] | None],
    taken: Mapping[Use, frozenset[str]],
    facts: Facts,
    dialect: Dialect,
) -> State:
    """Return what must change for each of `keys` to serve its certificates' staple.

    `keys` maps state to the fingerprints of the leaves that are presented with
    it, or to None where no staple would be right for everyone who reads it: it
    is then withdrawn. `taken` are the directives that a block reading it has
    already: what would repeat one says nothing instead, for the server would
    refuse everything.
    """
    wanted: dict[PurePosixPath, tuple[Kind, Content | None]] = {}
    real: dict[PurePosixPath, PurePosixPath] = {}
    live: set[PurePosixPath] = set()
    own_affair: set[PurePosixPath] = set()
    endings: list[Ending] = []
    for use, leaves in keys.items():
        now = serving(leaves, facts)
        if leaves is not None and now.common is not None:
            endings += _endings(use, now, leaves, facts)
        for each in use.delivery.state(use.key, now, facts.settings.state_dir):
            beside = taken.get(use, frozenset())
            content: Content | None = None
            at_once = use.delivery.live
            if each.renewed is not None:
                at = real[each.path] = renewed.straight(each.path, each.renewed, facts.files)
                content, at_once = renewed.better(each, at, each.renewed, facts)
                own_affair.add(each.path)  # the server looks again by itself, whoever wrote it
            else:
                real[each.path] = facts.files.resolve(each.path)
                content = _content(each, beside, facts, dialect)
            wanted[each.path] = (each.kind, content)
            if at_once:
                live.add(real[each.path])
    changes = [
        Change(real[path], kind, before, content)
        for path, (kind, content) in wanted.items()
        if not _same(before := present(real[path], facts.files), content)
    ]
    changes.sort(key=lambda change: change.kind is not Kind.STAPLE)
    neutral = _neutral(endings, keys, facts, dialect)
    digest = _digest({path: each for path, each in wanted.items() if path not in own_affair})
    paths = frozenset(wanted)
    return State(tuple(changes), paths, frozenset(live), tuple(endings), neutral, digest)


def _same(before: Content | None, after: Content | None) -> bool:
    return before is None if after is None else after.same(before)


def _digest(wanted: Mapping[PurePosixPath, tuple[Kind, Content | None]]) -> str:
    seen = hashlib.sha256()
    for path in sorted(wanted):
        content = wanted[path][1] or Content()
        seen.update(f"{path}\0".encode("utf-8", "surrogateescape"))
        seen.update(hashlib.sha256(content.data).digest())
    return seen.hexdigest()


def _endings(use: Use, now: Serving, leaves: Sequence[str], facts: Facts) -> Iterator[Ending]:
    """Yield the snippets that serve one staple for all; the first of its answers to end counts."""
    ends = [found.expires for found in _about_all(leaves, facts)]
    for each in use.delivery.state(use.key, now, facts.settings.state_dir):
        if each.kind is Kind.SNIPPET and now.common is not None:
            yield Ending(each.path, min(ends))


def _neutral(
    endings: Sequence[Ending], keys: Iterable[Use], facts: Facts, dialect: Dialect
) -> Content | None:
    """Return what withdraws the staples of `endings`: the same for all, no template sees a key."""
    snippets = {each.snippet for each in endings}
    for use in keys if snippets else ():
        for each in use.delivery.state(use.key, NOTHING, facts.settings.state_dir):
            if each.path in snippets:
                return _content(each, frozenset(), facts, dialect)
    return None


def serving(leaves: Sequence[str] | None, facts: Facts) -> Serving:
    """Return what may be served with `leaves`, the fingerprints of a site; None: with nobody's."""
    if leaves is None:
        return NOTHING
    known = {each.fingerprint: each for each in facts.chains.values() if isinstance(each, Chain)}
    return Serving(
        shared(leaves, facts),
        tuple(
            Held(leaf, encoded(known[leaf].leaf), servable(leaf, facts))
            for leaf in leaves
            if leaf in known
        ),
    )


def shared(leaves: Sequence[str], facts: Facts) -> Staple | None:
    """Return the staple that may be served with every one of `leaves`: one response about all.

    nginx sends it with whichever certificate the client gets; so a response
    about one of several is nobody's.
    """
    return next(iter(_about_all(leaves, facts)), None)


def _about_all(leaves: Sequence[str], facts: Facts) -> tuple[Staple, ...]:
    """Return what that response says of each of `leaves`; nothing where there is none."""
    staples = [servable(fingerprint, facts) for fingerprint in leaves]
    found = [staple for staple in staples if staple is not None]
    if not found or len(leaves) == 1:
        return tuple(found)
    if len(found) < len(leaves) or len({staple.der for staple in found}) > 1:
        found = [each for each in _in_common(leaves, facts) if may_be_served(each, facts)]
    return tuple(found) if len(found) == len(leaves) else ()


def _in_common(leaves: Sequence[str], facts: Facts) -> tuple[Staple, ...]:
    by_leaf = {each.fingerprint: each for each in facts.chains.values() if isinstance(each, Chain)}
    if not by_leaf.keys() >= set(leaves):
        return ()
    # One that is revoked is served with what was kept of it before, never with what a neighbour
    # has got since: a cache may still say good of both.
    revoked = [leaf for leaf in leaves if _revoked(leaf, facts)]
    stored = [facts.stored.get(leaf, Stored(None)).staple for leaf in revoked or leaves]
    return in_common(
        [by_leaf[leaf] for leaf in leaves],
        stored,
        now=facts.now,
        floors=facts.settings.floors,
        allow_sha1=facts.settings.responders.allow_sha1_signature,
    )


def _revoked(leaf: str, facts: Facts) -> bool:
    attempts = facts.attempts.get(leaf)
    return attempts is not None and attempts.revoked_at is not None


def unanswered(keys: Mapping[Use, Sequence[str] | None], facts: Facts) -> Iterator[Finding]:
    """Yield a finding for each site that has staples for all its certificates, and no common one.

    Known only once a responder was asked, so the configuration does not depend on it.
    """
    for site in facts.configuration.sites:
        chains = chains_of(site, facts)
        leaves = tuple(chain.fingerprint for chain in chains)
        if len(leaves) < 2:  # noqa: PLR2004 - two is where one response has to be about several
            continue
        uses = [use for use, known in keys.items() if known == leaves and use.delivery.one_response]
        if not any(use.key == use.delivery.key(site) for use in uses):
            continue
        held = [servable(leaf, facts) for leaf in leaves]
        if any(held) and shared(leaves, facts) is None:
            yield Finding(
                ONE_FOR_SEVERAL,
                Severity.WARNING,
                site.certificates[1].location,
                f"no one response answers for all {len(leaves)} certificates of this block,"
                " so nothing is stapled here",
                f"run staplecfg apply --delivery responder --site {quote(site.title)}"
                " (with `staplecfg serve`), or keep one certificate",
                site.title,
            )


def claimed(key: str, facts: Facts, delivery: Delivery, dialect: Dialect) -> frozenset[str]:
    """Return the names of the directives that the state of `key` holds, now or at another time."""
    state_dir = facts.settings.state_dir
    return frozenset(
        words[0]
        for staple in (None, _ANY_STAPLE)
        for each in delivery.state(key, Serving(staple), state_dir)
        if each.template is not None
        for words in render.words(facts.templates, each.template, each.variables or {}, dialect)
    )


def named_by(uses: Iterable[Use], facts: Facts, dialect: Dialect) -> frozenset[PurePosixPath]:
    """Return the state that stands on disk for `uses` of another configuration."""
    state_dir = facts.settings.state_dir
    found: set[PurePosixPath] = set()
    for use in uses:
        for each in use.delivery.state(use.key, NOTHING, state_dir):
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
