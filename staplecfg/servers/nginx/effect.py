"""Which directives are in effect in a server block, and whom else a change of each would touch."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from staplecfg.model.site import Origin, Setting
from staplecfg.model.source import Location

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import PurePosixPath

    from staplecfg.servers.nginx.contexts import Context, Placed, ServerBlock
    from staplecfg.servers.nginx.includes import Sources


@dataclass(frozen=True, slots=True)
class Sharing:
    """How many server blocks are read from the same bytes."""

    including: Mapping[PurePosixPath, int]
    """By resolved path: server blocks that include the file, directly or not."""
    leading: Mapping[PurePosixPath, int]
    """By resolved path: include directives that name the file, wherever they stand."""
    opening: Mapping[tuple[PurePosixPath, int], int]
    """By the byte a server block begins at: contexts it is read in."""

    @classmethod
    def of(cls, contexts: Iterable[Context], sources: Sources) -> Sharing:
        """Count them."""
        including: Counter[PurePosixPath] = Counter()
        opening: Counter[tuple[PurePosixPath, int]] = Counter()
        for context in contexts:
            for server in context.servers:
                including.update({each.source.file for each in server.settings if each.included})
                opening[_place(server.opened)] += 1
        leading = Counter(target for targets in sources.targets.values() for target in targets)
        return cls(including, leading, opening)

    def shared(self, server: ServerBlock, each: Placed) -> bool:
        """Say whether changing `each`, in effect in `server`, changes another block too."""
        if each.included:
            return self.including[each.source.file] > 1 or self.leading[each.source.file] > 1
        return self.opening[_place(server.opened)] > 1


def inherited(context: Context) -> dict[str, tuple[Setting, ...]]:
    """Return what every server block of `context` starts from."""
    shared = len(context.servers) > 1
    return by_name(setting(each, Origin.INHERITED, shared=shared) for each in context.settings)


def effective(
    server: ServerBlock, outer: Mapping[str, tuple[Setting, ...]], sharing: Sharing
) -> dict[str, tuple[Setting, ...]]:
    """Return what is in effect in `server`, by name.

    Said once in the block, a directive replaces all of its name from outside,
    be it a flag or a list (ngx_conf_merge_*_value); nothing is ever joined.
    """
    own = by_name(
        setting(
            each,
            Origin.INCLUDED if each.included else Origin.OWN,
            shared=sharing.shared(server, each),
        )
        for each in server.settings
    )
    return {**outer, **own}


def main_settings(top: Sequence[Placed]) -> dict[str, tuple[Setting, ...]]:
    """Return the main context's directives by name."""
    return by_name(
        setting(each, Origin.INCLUDED if each.included else Origin.OWN, shared=False)
        for each in top
    )


def by_name(settings: Iterable[Setting]) -> dict[str, tuple[Setting, ...]]:
    """Group `settings` by the directive's name, in their order."""
    grouped: dict[str, list[Setting]] = {}
    for each in settings:
        grouped.setdefault(each.directive.name, []).append(each)
    return {name: tuple(group) for name, group in grouped.items()}


def setting(each: Placed, origin: Origin, *, shared: bool) -> Setting:
    """Return `each` as a setting that has come from `origin`."""
    at = Location(each.source.path, each.directive.line)
    return Setting(each.directive, origin, at, each.source.file, shared)


def _place(opened: Placed) -> tuple[PurePosixPath, int]:
    return (opened.source.file, opened.directive.span.start)
