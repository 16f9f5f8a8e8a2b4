"""Sites that come from one body, used in several places: an edit there reaches every use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.model.finding import Finding, Severity
from staplecfg.model.plan import Decision
from staplecfg.planning.choose import LeftAlone
from staplecfg.planning.settled import Merged

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from staplecfg.model.site import Site

BODY = "macro-body-edited"


def together_or_not(choices: Sequence[Merged | LeftAlone]) -> list[Merged | LeftAlone]:
    """Return `choices` with a body left alone where one of its uses must be.

    A certificate without a responder keeps no other from its lines: they have no
    effect there. What somebody decided about one use does, and so does a refusal.
    """
    objecting = {
        _body(each.site): each for each in choices if isinstance(each, LeftAlone) and _objects(each)
    }
    return [
        _refused(each, objecting[_body(each.site)])
        if isinstance(each, Merged) and not each.patch.empty and _body(each.site) in objecting
        else each
        for each in choices
    ]


def reached(choices: Sequence[Merged | LeftAlone]) -> Iterator[Finding]:
    """Yield a note for each body that is edited, with the places of its uses."""
    edited = {
        _body(each.site): each.site
        for each in choices
        if isinstance(each, Merged) and each.site.used_at and not each.patch.empty
    }
    for body, site in edited.items():
        uses = {str(each.site.used_at[0]): None for each in choices if _body(each.site) == body}
        yield Finding(
            BODY,
            Severity.NOTE,
            site.location,
            f"the lines go into the body of a macro, and reach every use of it: {', '.join(uses)}",
            site=site.title,
        )


def _body(site: Site) -> object:
    return site.file, site.block.span


def _objects(choice: LeftAlone) -> bool:
    return (
        choice.decision is Decision.REFUSED
        or choice.finding is not None
        or (choice.reason == "not selected")
    )


def _refused(choice: Merged, other: LeftAlone) -> LeftAlone:
    shared = "the body of a macro" if choice.site.used_at else "a file that is read more than once"
    reason = (
        f"its lines stand in {shared}, and {other.site.title}, another use of it,"
        f" is left alone: {other.reason}"
    )
    return LeftAlone(choice.site, Decision.REFUSED, reason)
