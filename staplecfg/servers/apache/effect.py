"""Which directives are in effect in a virtual host, and whom else a change of each would touch."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from staplecfg.model.site import Origin, Setting

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import PurePosixPath

    from staplecfg.model.directive import Directive
    from staplecfg.servers.apache.expansion import Met
    from staplecfg.servers.apache.sources import Text

SERVER_WIDE = frozenset(
    {
        "ChrootDir", "DefaultRuntimeDir", "Define", "Group", "Listen", "LoadFile", "LoadModule",
        "MDomain", "MDomainSet", "Mutex", "PidFile", "ServerAlias", "ServerName", "ServerRoot",
        "UnDefine",
        "User", "VirtualHost",
    }
)  # fmt: skip
"""What a virtual host does not take over from the server around it."""

_PAIRED = ("SSLCertificateFile", "SSLCertificateKeyFile")
_PLACES = 3
"""CERTKEYS_IDX_MAX + 1: so many of a host's certificates are counted against the server's."""

_SECTIONS = frozenset({"MDomain", "MDomainSet", "VirtualHost"})
"""Sections at server level that say something of the server's TLS, or how it is divided."""


class Occurrences:
    """How often each directive of a file takes effect: in several hosts, or by several uses."""

    def __init__(self, top: Iterable[Met]) -> None:
        self.counts = Counter(map(_place, _all(top)))

    def shared(self, met: Met) -> bool:
        """Say whether changing `met` changes something elsewhere too."""
        return self.counts[_place(met)] > 1


def globals_of(top: Iterable[Met], main: Text) -> dict[str, tuple[Setting, ...]]:
    """Return the server's own directives by name; hosts and managed domains as sections."""
    return by_name(
        Setting(
            each.directive if each.children is None else _as_evaluated(each),
            Origin.OWN if each.text is main else Origin.INCLUDED,
            each.location,
            each.text.file,
        )
        for each in top
        if each.children is None or each.name in _SECTIONS
    )


def inherited(top: Sequence[Met], *, shared: bool) -> dict[str, tuple[Setting, ...]]:
    """Return what every virtual host starts from."""
    return by_name(
        Setting(each.directive, Origin.INHERITED, each.location, each.text.file, shared)
        for each in top
        if each.children is None and each.name not in SERVER_WIDE
    )


def effective(
    inside: Iterable[Met],
    opened: tuple[Text, Directive],
    outer: Mapping[str, tuple[Setting, ...]],
    occurrences: Occurrences,
) -> dict[str, tuple[Setting, ...]]:
    """Return what is in effect in the host `opened` opens, by name.

    Said once in the host, a directive takes the place of those around it
    (cfgMerge); of certificates and keys, one takes the place of one. What stands
    in the host's own bytes is its own, be it that they are a macro's; all else
    has come by an include or by a macro.
    """
    text, block = opened
    own = by_name(
        Setting(
            each.directive,
            Origin.OWN if _stands_in(each, text, block) else Origin.INCLUDED,
            each.location,
            each.text.file,
            occurrences.shared(each),
        )
        for each in inside
        if each.children is None
    )
    paired = {
        name: _paired(own[name], outer[name]) for name in _PAIRED if name in own and name in outer
    }
    return {**outer, **own, **paired}


def by_name(settings: Iterable[Setting]) -> dict[str, tuple[Setting, ...]]:
    """Group `settings` by the directive's name, in their order."""
    grouped: dict[str, list[Setting]] = {}
    for each in settings:
        grouped.setdefault(each.directive.name, []).append(each)
    return {name: tuple(group) for name, group in grouped.items()}


def _paired(own: tuple[Setting, ...], outer: tuple[Setting, ...]) -> tuple[Setting, ...]:
    """Return both as modssl_ctx_cfg_merge_certkeys_array() does (2.4.71).

    The server's second stays in effect beside a host's only one.
    """
    first = own[:_PLACES]
    return (*first, *outer[len(first) :], *own[_PLACES:])


def _stands_in(met: Met, text: Text, block: Directive) -> bool:
    span = met.directive.span
    return met.text is text and block.span.start <= span.start and span.end <= block.span.end


def _as_evaluated(met: Met) -> Directive:
    """Return the section with the children that take effect, variables put in."""
    block = met.directive.block
    if block is None or met.children is None:
        return met.directive
    children = tuple(_as_evaluated(child) for child in met.children)
    if list(map(id, children)) == list(map(id, block.children)):
        return met.directive
    return replace(met.directive, block=replace(block, children=children))


def _all(top: Iterable[Met]) -> Iterator[Met]:
    pending = list(top)
    while pending:
        met = pending.pop()
        yield met
        pending += met.children or ()


def _place(met: Met) -> tuple[PurePosixPath, int]:
    return (met.text.file, met.directive.span.start)
