"""Configurations from the field: every TLS server block gets its lines, or a reason why not."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pytest

from staplecfg.model.change import Change
from staplecfg.model.errors import NotUnderstood
from staplecfg.model.site import SourceFile
from staplecfg.planning.patch import Patch, children
from staplecfg.planning.prove import rewrite
from staplecfg.servers.nginx.dialect import DIALECT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from staplecfg.model.directive import Directive

CORPUS = Path(__file__).parents[3] / "shared" / "corpus" / "nginx"
WORDS = (("ssl_stapling", "on"), ("include", "/var/lib/staplecfg/nginx/a-1/*.conf"))

pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus is not beside the checkout"),
]


def every_server(directives: Iterable[Directive]) -> Iterator[Directive]:
    for directive in directives:
        if directive.block is not None and not directive.block.opaque:
            if directive.name == "server" and children(directive):
                yield directive
            else:
                yield from every_server(children(directive))


def test_edits_of_real_files_are_proved_and_undone():
    edited = refused = 0
    for path in sorted(path for path in CORPUS.rglob("*") if path.is_file()):
        text = path.read_bytes()
        name = PurePosixPath(path)
        try:
            directives = DIALECT.parse(text, name)
        except NotUnderstood:
            continue
        servers = tuple(every_server(directives))
        if not servers:
            continue
        source = SourceFile(name, name, text, directives)
        change = rewrite(source, [Patch(name, one, insert=WORDS) for one in servers], DIALECT)
        if not isinstance(change, Change):
            refused += 1
            assert change.rule == "readers-disagree", change
            continue
        edited += 1
        assert change.after is not None
        assert taken_out(name, change.after.data) == text, path

    assert edited > 20 * refused, (edited, refused)


def taken_out(name: PurePosixPath, text: bytes) -> bytes:
    """Return `text` without the lines that were put in."""
    directives = DIALECT.parse(text, name)
    patches = [
        Patch(name, one, drop=tuple(each for each in children(one) if each.words in WORDS))
        for one in every_server(directives)
    ]
    change = rewrite(SourceFile(name, name, text, directives), patches, DIALECT)
    assert isinstance(change, Change)
    assert change.after is not None
    return change.after.data
