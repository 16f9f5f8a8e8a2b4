"""Include patterns: what glob(3) would name."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from staplecfg.model.filesystem import MemoryFilesystem
from staplecfg.servers.nginx.dialect import DIALECT
from staplecfg.servers.nginx.globs import expand, is_pattern

FILES = MemoryFilesystem.of(
    dict.fromkeys(
        (
            "/e/B.conf",
            "/e/a.conf",
            "/e/b.conf",
            "/e/b.conf~",
            "/e/.hidden.conf",
            "/e/d1/x",
            "/e/d2/x",
            "/e/d2/y",
            "/e/\udce4",
            "/e/ü",
            "/e/[x]",
            "/e/a-b",
            "/e/^a",
        ),
        b"",
    ),
    {"/e/dangling.conf": "/nowhere"},
)


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        pytest.param("/e/*.conf", ["B.conf", "a.conf", "b.conf", "dangling.conf"], id="star"),
        pytest.param("/e/.*.conf", [".hidden.conf"], id="leading dot asked for"),
        pytest.param("/e/[.]*.conf", [], id="leading dot in brackets"),
        pytest.param("/e/?.conf", ["B.conf", "a.conf", "b.conf"], id="question mark"),
        pytest.param("/e/[ab].conf", ["a.conf", "b.conf"], id="brackets"),
        pytest.param("/e/[a-b].conf", ["a.conf", "b.conf"], id="range"),
        pytest.param("/e/[!a].conf", ["B.conf", "b.conf"], id="negated"),
        pytest.param("/e/[^aB].conf", ["b.conf"], id="negated with a caret"),
        pytest.param("/e/[b-a].conf", [], id="empty range"),
        pytest.param("/e/a[-x]b", ["a-b"], id="dash first"),
        pytest.param("/e/*/x", ["d1/x", "d2/x"], id="star in the middle"),
        pytest.param("/e/*/y", ["d2/y"], id="only what exists"),
        pytest.param("/e/d[12]/[xy]", ["d1/x", "d2/x", "d2/y"], id="two patterns"),
        pytest.param("/e/?", ["\udce4"], id="question mark is one byte"),
        pytest.param("/e/??", ["d1", "d2", "ü", "^a"], id="and two of them are two"),
        pytest.param("/e/\\[x]", ["[x]"], id="backslash"),
        pytest.param("/e/[x*", ["[x]"], id="bracket that never closes"),
        pytest.param("/nowhere/*", [], id="no such directory"),
    ],
)
def test_a_pattern_names_what_nginx_would_read_in_its_order(pattern: str, names: list[str]):
    in_order = sorted(names, key=lambda name: name.encode("utf-8", "surrogateescape"))

    assert [str(path) for path in expand(FILES, pattern)] == [f"/e/{name}" for name in in_order]


def test_only_three_marks_make_a_pattern():
    assert [mark for mark in "*?[]{}~$" if is_pattern(f"/e/{mark}")] == ["*", "?", "["]


@pytest.mark.parametrize(
    ("pattern", "path", "read"),
    [
        pytest.param("/e/*.conf", "/e/new.conf", True, id="matched"),
        pytest.param("/e/*.conf", "/e/.new.conf", False, id="hidden"),
        pytest.param("/e/*", "/e/sub/new.conf", False, id="one level down"),
        pytest.param("/e/new.conf", "/e/new.conf", True, id="named"),
        pytest.param("/e/new.conf", "/e/old.conf", False, id="another named"),
    ],
)
def test_a_file_that_is_not_there_yet_is_known_to_be_read(pattern: str, path: str, *, read: bool):
    assert DIALECT.reads(pattern, PurePosixPath(path), MemoryFilesystem({})) is read
