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
from staplecfg.planning import looking, render

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
    wanted: dict[PurePosixPath, tuple[Kind, Content]] = {}
    live: set[PurePosixPath] = set()
    endings: list[Ending] = []
    for use, leaves in keys.items():
        staple = None if leaves is None else shared(leaves, facts)
        if leaves is not None and staple is not None:
            endings += _endings(use, staple, leaves, facts)
        for each in use.delivery.state(use.key, staple, facts.settings.state_dir):
            beside = taken.get(use, frozenset())
            wanted[each.path] = (each.kind, _content(each, beside, facts, dialect))
            if use.delivery.live:
                live.add(facts.files.resolve(each.path))
    changes = [
        Change(facts.files.resolve(path), kind, before, content)
        for path, (kind, content) in wanted.items()
        if not content.same(before := present(path, facts.files))
    ]
    changes.sort(key=lambda change: change.kind is not Kind.STAPLE)
    neutral = _neutral(endings, keys, facts, dialect)
    digest = _digest(wanted)
    paths = frozenset(wanted)
    return State(tuple(changes), paths, frozenset(live), tuple(endings), neutral, digest)


def _digest(wanted: Mapping[PurePosixPath, tuple[Kind, Content]]) -> str:
    seen = hashlib.sha256()
    for path in sorted(wanted):
        content = wanted[path][1]
        seen.update(f"{path}\0".encode("utf-8", "surrogateescape"))
        seen.update(hashlib.sha256(content.data).digest())
    return seen.hexdigest()


def _endings(use: Use, staple: Staple, leaves: Sequence[str], facts: Facts) -> Iterator[Ending]:
    """Yield the snippets by which `use` serves `staple`; the first of its answers to end counts."""
    ends = [found.expires for found in _about_all(leaves, facts)]
    for each in use.delivery.state(use.key, staple, facts.settings.state_dir):
        if each.kind is Kind.SNIPPET:
            yield Ending(each.path, min(ends))


def _neutral(
    endings: Sequence[Ending], keys: Iterable[Use], facts: Facts, dialect: Dialect
) -> Content | None:
    """Return what withdraws the staples of `endings`: the same for all, no template sees a key."""
    snippets = {each.snippet for each in endings}
    for use in keys if snippets else ():
        for each in use.delivery.state(use.key, None, facts.settings.state_dir):
            if each.path in snippets:
                return _content(each, frozenset(), facts, dialect)
    return None


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
        found = [each for each in _in_common(leaves, facts) if _may_be_served(each, facts)]
    return tuple(found) if len(found) == len(leaves) else ()


def _in_common(leaves: Sequence[str], facts: Facts) -> tuple[Staple, ...]:
    by_leaf = {each.fingerprint: each for each in facts.chains.values() if isinstance(each, Chain)}
    if not by_leaf.keys() >= set(leaves):
        return ()
    stored = [facts.stored.get(leaf, Stored(None)).staple for leaf in leaves]
    return in_common(
        [by_leaf[leaf] for leaf in leaves],
        stored,
        now=facts.now,
        floors=facts.settings.floors,
        allow_sha1=facts.settings.responders.allow_sha1_signature,
    )


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


def servable(fingerprint: str, facts: Facts) -> Staple | None:
    """Return the staple of this leaf if it may be served until the next run, else None.

    The server that reads it does not look at its end. So it is withdrawn by the
    last run that is sure to come before that (`Looks.margin`).
    """
    stored = facts.stored.get(fingerprint)
    staple = stored.staple if stored is not None else None
    if staple is None or staple.fingerprint != fingerprint or staple.status is not CertStatus.GOOD:
        return None
    return staple if _may_be_served(staple, facts) else None


def _may_be_served(staple: Staple, facts: Facts) -> bool:
    if facts.now >= looking.withdrawn_at(staple, looking.in_effect(facts)):
        return False
    return staple.this_update <= facts.now + facts.settings.floors.skew


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


def named_by(uses: Iterable[Use], facts: Facts, dialect: Dialect) -> frozenset[PurePosixPath]:
    """Return the state that stands on disk for `uses` of another configuration."""
    state_dir = facts.settings.state_dir
    found: set[PurePosixPath] = set()
    for use in uses:
        for each in use.delivery.state(use.key, None, state_dir):
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
