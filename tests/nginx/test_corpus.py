"""Real configurations: each is read or refused with a place, and survives putting in and out."""

from __future__ import annotations

from collections import Counter
from functools import cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pytest

from staplecfg.model.edit import apply_edits
from staplecfg.model.errors import NotUnderstood
from staplecfg.servers.nginx import place
from staplecfg.servers.nginx.compare import disagreement
from staplecfg.servers.nginx.scan import scan, walk
from tests.support import nginx_reference
from tests.support.nginx_trees import server_blocks

if TYPE_CHECKING:
    from staplecfg.model.directive import Directive

CORPUS = Path(__file__).resolve().parents[3] / "shared" / "corpus" / "nginx"
WANTED = (
    ("ssl_stapling", "on"),
    ("ssl_stapling_verify", "on"),
    ("include", "/var/lib/staplecfg/nginx/site-0a1b2c3d/*.conf"),
)

pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(not CORPUS.is_dir(), reason="no corpus beside the checkout"),
]


@cache
def corpus() -> dict[PurePosixPath, bytes]:
    files = sorted(path for path in CORPUS.rglob("*") if path.is_file())
    return {PurePosixPath(path): path.read_bytes() for path in files}


@cache
def readable() -> dict[PurePosixPath, bytes]:
    return {path: data for path, data in corpus().items() if refusal(path, data) is None}


def source(path: PurePosixPath) -> str:
    return path.relative_to(CORPUS).parts[0]


def refusal(path: PurePosixPath, data: bytes) -> NotUnderstood | None:
    try:
        scan(data, path)
    except NotUnderstood as error:
        return error
    return None


def test_every_file_is_read_or_refused_with_its_place_and_advice():
    refused = [error for path, data in corpus().items() if (error := refusal(path, data))]

    assert all(error.at is not None and error.at.line and error.hint for error in refused)
    # Pseudo-code of handbooks, templates, and what is broken on purpose.
    assert Counter(source(error.at.path) for error in refused if error.at) == {
        "archlinux-infra": 4,
        "crossplane-tests": 6,
        "handbook-md": 67,
        "lebinh": 4,
        "lua-nginx-module": 5,
    }


def test_the_scanner_reads_what_the_slow_tokenizer_reads():
    for path, data in corpus().items():
        if b"_by_lua_block" in data or "lebinh" in path.parts:
            continue
        try:
            expected = [
                tuple(word.decode("utf-8", "surrogateescape") for word in words)
                for words, mark in nginx_reference.statements(data)
                if mark != "}"
            ]
        except nginx_reference.Refused:
            expected = None
        read = None if refusal(path, data) else [each.words for each in walk(scan(data, path))]
        assert read == expected, path


def test_the_second_reader_agrees_but_for_what_is_known():
    differing = [path for path, data in readable().items() if disagreement(data, path)]

    # Long brackets in Lua, and ${variable} with a blank behind it.
    assert Counter(map(source, differing)) == {
        "crossplane-tests": 1,
        "lua-nginx-module": 5,
        "s3-gateway": 2,
    }


AS_IS = {
    "as it is": lambda data: data,
    "CRLF": lambda data: data.replace(b"\n", b"\r\n"),
    "tabs": lambda data: data.replace(b"    ", b"\t"),
    "no final line feed": lambda data: data.rstrip(b"\n"),
    "brace on the next line": lambda data: data.replace(b" {\n", b"\n{\n"),
    "comments behind": lambda data: data.replace(b";\n", b"; # x { y\n"),
}


@pytest.mark.parametrize("variant", AS_IS.values(), ids=AS_IS)
def test_every_server_block_takes_lines_and_gives_them_back(variant):
    done = 0
    for path, found in readable().items():
        data = variant(found)
        if b"_by_lua_block" in data and data is not found:
            continue
        for number, block in enumerate(server_blocks(data) if refusal(path, data) is None else ()):
            edited = apply_edits(data, place.insert(data, block, WANTED))

            ours = added(block, server_blocks(edited)[number])
            assert [each.words for each in ours] == list(WANTED)
            assert apply_edits(edited, place.take_out(edited, ours)) == data, path
            done += 1
    assert done > 150


def added(before: Directive, after: Directive) -> tuple[Directive, ...]:
    """Return the run of directives of `after` that `before` has not."""
    assert before.block is not None
    assert after.block is not None
    old = [each.words for each in before.block.children]
    new = after.block.children
    for start in range(len(old) + 1):
        if [each.words for each in (*new[:start], *new[start + len(WANTED) :])] == old and [
            each.words for each in new[start : start + len(WANTED)]
        ] == list(WANTED):
            return new[start : start + len(WANTED)]
    raise AssertionError("not the old block and ours")
