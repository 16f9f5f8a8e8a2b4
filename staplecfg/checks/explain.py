"""What `explain` prints: a rule's own words, the list of rules, and what was perhaps meant."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from staplecfg.model.rule import Rule


def explain(rule: Rule) -> str:
    """Return what `rule` is about, why it matters and how to fix it."""
    return f"{rule.id} ({rule.severity.value})\n\n{rule.text.strip()}\n"


def summary(rule: Rule) -> str:
    """Return the first line of `rule`'s text, without its full stop."""
    return rule.text.strip().partition("\n")[0].rstrip(".")


def overview(rules: Iterable[Rule]) -> str:
    """Return a line for each of `rules`: id, severity, first line; sorted by id."""
    known = sorted(rules, key=lambda rule: rule.id)
    width = max((len(rule.id) for rule in known), default=0)
    return "".join(
        f"{rule.id:<{width}}  {rule.severity.value:<7}  {summary(rule)}\n" for rule in known
    )


def find(rules: Iterable[Rule], wanted: str) -> Rule | None:
    """Return the rule with the id `wanted`, brackets or case aside, or None."""
    bare = _bare(wanted)
    return next((rule for rule in rules if rule.id == bare), None)


def suggestions(rules: Iterable[Rule], wanted: str) -> tuple[str, ...]:
    """Return the ids that whoever typed `wanted` may have meant, the likeliest first."""
    bare = _bare(wanted)
    known = [rule.id for rule in rules]
    holding = [known_id for known_id in known if bare and bare in known_id]
    return tuple(dict.fromkeys([*get_close_matches(bare, known), *holding]))[:3]


def _bare(wanted: str) -> str:
    return wanted.strip("[] ").lower().replace("_", "-")
