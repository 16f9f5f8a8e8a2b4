"""The last line before somebody's web server: an edit is made only if it can be proved.

It trusts neither the planner nor the span arithmetic, only the readers, and
both of them: the new text, read again, must be the old tree plus exactly what
was planned in exactly the block it was planned for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.model.change import Change, Content, Kind
from staplecfg.model.edit import Edit, apply_edits
from staplecfg.model.errors import StaplecfgError
from staplecfg.model.finding import Finding, Severity
from staplecfg.model.source import Location, Span
from staplecfg.planning.patch import edits

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from staplecfg.model.directive import Directive
    from staplecfg.model.site import SourceFile
    from staplecfg.planning.patch import Patch
    from staplecfg.servers.interface import Dialect, Words

RULE = "unsafe-edit"
HINT = "write the lines by hand; please report the file, its shape is new to staplecfg"


def rewrite(source: SourceFile, patches: Sequence[Patch], dialect: Dialect) -> Change | Finding:
    """Return the proved change of `source` that makes all `patches`, or why there is none."""
    if source.refusal is not None:
        return source.refusal
    try:
        made = tuple(edit for patch in patches for edit in edits(source.data, patch, dialect))
        after = apply_edits(source.data, made)
        problem = _problem(source, after, made, patches, dialect)
    except (StaplecfgError, ValueError) as error:
        problem = f"the edit cannot be made: {error}"
    if problem is not None:
        return unsafe(source, problem)
    disagreement = dialect.disagreement(after, source.path)
    if disagreement is not None:
        return disagreement
    return Change(
        source.file, Kind.CONFIG, Content(source.data), Content(after), edits=tuple(sorted_by(made))
    )


def unsafe(source: SourceFile, problem: str) -> Finding:
    """Return the finding that refuses to edit `source`."""
    return Finding(RULE, Severity.ERROR, Location(source.path), problem, HINT)


def sorted_by(made: Iterable[Edit]) -> list[Edit]:
    """Return edits by their place; insertions at one place keep their order."""
    return sorted(made, key=lambda edit: edit.span)


def inverse(made: Sequence[Edit], before: bytes) -> tuple[Edit, ...]:
    """Return the edits that lead from the edited text back to `before`."""
    back: list[Edit] = []
    shift = 0
    for edit in sorted_by(made):
        start = edit.span.start + shift
        old = before[edit.span.start : edit.span.end]
        back.append(Edit(Span(start, start + len(edit.text)), old))
        shift += len(edit.text) - len(old)
    return tuple(back)


def _problem(
    source: SourceFile,
    after: bytes,
    made: Sequence[Edit],
    patches: Sequence[Patch],
    dialect: Dialect,
) -> str | None:
    if apply_edits(after, inverse(made, source.data)) != source.data:
        return "the edit would change bytes that are not its own"
    old = dialect.parse(source.data, source.path)
    new = dialect.parse(after, source.path)
    planned = {patch.block.span: patch for patch in patches if patch.block.name}
    # The file itself, as a block without a name (`model.directive.whole`).
    top = [patch for patch in patches if not patch.block.name]
    if len(planned) + len(top) != len(patches) or len(top) > 1:
        return "one block was planned twice"
    if any(patch.block.span != Span(0, len(source.data)) for patch in top):
        return "what was planned for the whole file is of another text"
    place = _Reader(source, after, dialect, planned)
    if not place.agree(old, new, next(iter(top), None)):
        return "read again, the edited text is not the old one plus what was planned"
    if place.planned:
        return "the block that was planned for is not where it was"
    return None


class _Reader:
    """Walks the old tree and the new one together; each planned block is met once."""

    def __init__(
        self, source: SourceFile, after: bytes, dialect: Dialect, planned: Mapping[Span, Patch]
    ) -> None:
        self.path = source.path
        self.before = source.data
        self.after = after
        self.dialect = dialect
        self.planned = dict(planned)

    def agree(
        self, old: Sequence[Directive], new: Sequence[Directive], patch: Patch | None
    ) -> bool:
        """Say whether `new` is `old` with what `patch` plans for this block."""
        insert = list(patch.insert) if patch else []
        expected = [(each, self._words(each, patch)) for each in old if not _dropped(each, patch)]
        for each in new:
            if expected and self._same(*expected[0], each):
                expected.pop(0)
            elif insert and each.block is None and each.words == insert[0]:
                insert.pop(0)
            else:
                return False
        return not expected and not insert

    def _words(self, old: Directive, patch: Patch | None) -> Words:
        for present, wanted in patch.swap if patch else ():
            if present.span == old.span:
                return wanted
        for present, text in patch.give_back if patch else ():
            if present.span == old.span:
                return self._only(text)
        return old.words

    def _only(self, text: bytes) -> Words:
        (directive,) = self.dialect.parse(text, self.path)
        return directive.words

    def _same(self, old: Directive, words: Words, new: Directive) -> bool:
        if words != new.words or (old.block is None) != (new.block is None):
            return False
        if old.block is None or new.block is None:
            return True
        if old.block.opaque or new.block.opaque:
            inside, anew = old.block.inside, new.block.inside
            return (
                old.block.opaque == new.block.opaque
                and self.before[inside.start : inside.end] == self.after[anew.start : anew.end]
            )
        patch = self.planned.get(old.span)
        if not self.agree(old.block.children, new.block.children, patch):
            return False
        self.planned.pop(old.span, None)
        return True


def _dropped(old: Directive, patch: Patch | None) -> bool:
    return patch is not None and any(old.span == each.span for each in patch.drop)
