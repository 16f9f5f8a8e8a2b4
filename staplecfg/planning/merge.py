"""What is wanted in a block against what is in effect in it: keep, insert, or conflict.

Present and equal is kept, wherever it stands. Absent is inserted. Another value
is somebody's decision: `--replace NAME` overrules it where it stands in the
block itself, or is inherited; a file that the block includes is never edited
for one site's sake. All or nothing: one conflict, and the block is left alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from shlex import quote
from typing import TYPE_CHECKING

from staplecfg.model.finding import Finding, Severity
from staplecfg.model.site import Origin
from staplecfg.planning.lines import in_state
from staplecfg.planning.patch import Patch, children

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import PurePosixPath

    from staplecfg.model.directive import Directive
    from staplecfg.model.site import Setting, Site
    from staplecfg.model.source import Location
    from staplecfg.planning.lines import Line
    from staplecfg.servers.interface import Delivery, Words

RULE = "conflicting-directive"
NO_PLACE = "take it out by hand; no line is missing here that could stand in its place"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What one block is to have.

    `words` in order; `claimed` are the names that the block's state files may
    hold, which so must not stand in the block beside them. `replaceable` are the
    names that the user allows to be overruled; `lines` are ours already in effect.
    `outdated` is what we put into the block for another delivery: it goes.
    """

    words: Sequence[Words]
    claimed: frozenset[str]
    replaceable: frozenset[str]
    lines: Sequence[Line] = ()
    outdated: Sequence[Directive] = ()


class Conflict(Exception):
    """Carries the finding out of the walk over what is wanted."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.problem)
        self.finding = finding


def merge(
    site: Site, wanted: Wanted, delivery: Delivery, state_dir: PurePosixPath
) -> Patch | Finding:
    """Return what must change in the block of `site` for it to have `wanted`, or the conflict."""
    walk = _Walk(site, delivery, state_dir, wanted)
    try:
        walk.require_our_own()
        for words in wanted.words:
            walk.want(words)
        for name in sorted(wanted.claimed - {words[0] for words in wanted.words}):
            walk.clear(name)
        walk.put_away()
        walk.require_verbatim()
    except Conflict as conflict:
        return conflict.finding
    return Patch(
        site.file,
        site.block,
        insert=tuple(walk.insert),
        swap=tuple(walk.swap),
        drop=tuple(walk.drop),
    )


@dataclass
class _Walk:
    """What has come together so far."""

    site: Site
    delivery: Delivery
    state_dir: PurePosixPath
    wanted: Wanted
    insert: list[Words] = field(default_factory=list)
    swap: list[tuple[Directive, Words]] = field(default_factory=list)
    drop: list[Directive] = field(default_factory=list)

    def want(self, words: Words) -> None:
        """See to it that the block has `words`."""
        if any(same(child, words) for child in children(self.site.block)):
            self._require_in_effect(words)
            return
        if self._owned(words) is not None:
            self._want_ours(words)
            return
        present = self._in_effect(words[0])
        if present is None:
            self.insert.append(words)
        elif not same(present.directive, words):
            self._overrule(present, words)

    def require_our_own(self) -> None:
        """Raise `Conflict` where stapling goes another way by a line that is not ours to take."""
        gone = {each.line for each in self.wanted.outdated}
        # One that turns on either delivery stays, and is of this one from now on.
        inside = children(self.site.block)
        gone |= {each.line for each in inside if any(same(each, w) for w in self.wanted.words)}
        for line in self.wanted.lines:
            if line.delivery != self.delivery and not (line.own and line.location.line in gone):
                raise self._conflict(
                    line.location,
                    f"by this line stapling goes through the delivery `{line.delivery.name}`,"
                    " and staplecfg did not write it",
                    f"take it out, or choose --delivery {line.delivery.name}",
                )

    def require_verbatim(self) -> None:
        """Raise `Conflict` where the server would replace something in a line before reading it."""
        for words in (*self.insert, *(words for _, words in self.swap)):
            line = " ".join(words)
            for parameter in self.site.parameters:
                if parameter in line:
                    raise self._conflict(
                        self.site.location,
                        f"this is a macro's body, and its parameter `{parameter}` would be"
                        f" replaced in the line `{line}`",
                        "let the parameter begin with a $, as mod_macro's manual advises",
                    )

    def put_away(self) -> None:
        """Have new lines take the places of the outdated, and take out the rest of those."""
        for present in self.wanted.outdated:
            if self.insert:
                self.swap.append((present, self.insert.pop(0)))
            else:
                self.drop.append(present)

    def clear(self, name: str) -> None:
        """See to it that nothing but our state says `name` in this block."""
        present = self._in_effect(name)
        if present is None or present.origin is Origin.INHERITED:
            return
        problem = (
            f"`{' '.join(present.directive.words)}` stands here, and the delivery"
            f" `{self.delivery.name}` needs the directive for itself"
        )
        if present.origin is Origin.OWN and not self.insert:
            raise self._conflict(present.location, problem, NO_PLACE)
        if not self._may_replace(present):
            raise self._overruled(present, problem)
        # The last line wanted takes its place, so that remove can give it back.
        self.swap.append((present.directive, self.insert.pop()))

    def _want_ours(self, words: Words) -> None:
        """Put in our own line; one of another key is of certificates that were here before."""
        key = self._owned(words) or self.delivery.key(self.site)
        for line in self.wanted.lines:
            if line.delivery != self.delivery:
                continue
            if not line.own and line.key == key:
                return
            if not line.own and not line.inherited:
                raise self._conflict(
                    line.location,
                    "this line of staplecfg's is for other certificates than the site has",
                    "take it out of the included file, or give it the site's own key",
                )
        inside = children(self.site.block)
        stale = [child for child in inside if self._owned(child.words) is not None]
        present = self._in_effect(words[0])
        if stale:
            self.swap.append((stale[0], words))
            self.drop += stale[1:]
        elif present is not None and self._owned(present.directive.words) is None:
            self._overrule(present, words)
        else:
            self.insert.append(words)

    def _require_in_effect(self, words: Words) -> None:
        """Raise `Conflict` where `words` stand in the block, and what is read is something else."""
        present = self._in_effect(words[0])
        # One of many may be ours: an include.
        if present is None or self._owned(words) is not None or same(present.directive, words):
            return
        raise self._overruled(
            present,
            f"`{' '.join(present.directive.words)}` is in effect here, though the block has"
            f" `{' '.join(words)}` too",
        )

    def _overrule(self, present: Setting, words: Words) -> None:
        if not self._may_replace(present):
            raise self._overruled(
                present,
                f"`{' '.join(present.directive.words)}` is set here,"
                f" and stapling needs `{' '.join(words)}`",
            )
        if present.origin is Origin.OWN:
            self.swap.append((present.directive, words))
        else:
            self.insert.append(words)

    def _may_replace(self, present: Setting) -> bool:
        return (
            present.directive.name in self.wanted.replaceable
            and present.origin is not Origin.INCLUDED
        )

    def _settings(self, name: str) -> tuple[Setting, ...]:
        return self.site.settings.get(name, ())

    def _in_effect(self, name: str) -> Setting | None:
        """Return the directive `name` in effect that is not our state's; nearer ones win."""
        foreign = [
            setting
            for setting in self._settings(name)
            if not in_state(setting, self.state_dir)
            and setting.directive not in self.wanted.outdated
        ]
        here = [s for s in foreign if s.origin is not Origin.INHERITED]
        return next(reversed(here or foreign), None)

    def _owned(self, words: Words) -> str | None:
        return self.delivery.owned(words, self.state_dir)

    def _overruled(self, present: Setting, problem: str) -> Conflict:
        name = present.directive.name
        hint = f"run staplecfg apply --replace {name} --site {quote(self.site.title)}"
        if present.origin is Origin.INCLUDED:
            hint = "change it there; other sites may read that file too"
        return self._conflict(present.location, problem, hint)

    def _conflict(self, at: Location, problem: str, hint: str) -> Conflict:
        return Conflict(Finding(RULE, Severity.WARNING, at, problem, hint, self.site.title))


def same(present: Directive, words: Words) -> bool:
    """Say whether `present` says `words`; servers take on and off in any case."""
    if present.block is not None:
        return False
    return _folded(present.words) == _folded(words)


def _folded(words: Words) -> Words:
    return tuple(word.lower() if word.lower() in {"on", "off"} else word for word in words)
