"""The block in which the TLS lines of a virtual host are at home.

Where a condition stands around them (`<IfModule mod_ssl.c>`), ours must stand
under it too: without mod_ssl, httpd does not start with a line it does not know.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.servers.apache.names import READ_AT_ONCE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from staplecfg.model.directive import Directive
    from staplecfg.servers.apache.expansion import Met

_TELLING = (frozenset({"SSLCertificateFile", "SSLCertificateKeyFile"}), frozenset({"SSLEngine"}))
"""Whose conditions count; the engine's where certificates stand under different ones."""


def home(host: Met) -> Directive:
    """Return the innermost section of `host` around all its certificates, else `host` itself.

    Also those that are not read count: a macro's body has one such section for
    all its uses.
    """
    block = host.directive
    for names in _TELLING:
        written = [each for each in _inside(block) if each.name in names]
        read = {each.directive.span for each in host.children or () if each.text is host.text}
        if read.isdisjoint(each.span for each in written):
            continue
        while (inner := _around(written, block)) is not None:
            block = inner
        if any(each in _children(block) for each in written):
            break
    return block


def _inside(block: Directive) -> Iterator[Directive]:
    """Yield what may take effect in `block`, conditions or not."""
    for each in _children(block):
        yield each
        if each.name in READ_AT_ONCE:
            yield from _inside(each)


def _around(lines: Iterable[Directive], block: Directive) -> Directive | None:
    sections = (each for each in _children(block) if each.name in READ_AT_ONCE)
    return next((each for each in sections if all(_encloses(each, line) for line in lines)), None)


def _children(block: Directive) -> tuple[Directive, ...]:
    return block.block.children if block.block is not None else ()


def _encloses(outer: Directive, inner: Directive) -> bool:
    return outer.span.start < inner.span.start and inner.span.end <= outer.span.end
