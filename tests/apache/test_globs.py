"""Which files an include names, in which order, and which it would name."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from staplecfg.servers.apache.fnmatch import is_pattern, matches
from staplecfg.servers.apache.globs import absolute, expand, reads
from tests.support.apache_trees import ROOT, memory

TREE = memory(
    {
        "sites/a.conf": "",
        "sites/B.conf": "",
        "sites/.hidden": "",
        "sites/a.conf~": "",
        "sites/sub/z": "",
        "real/x.conf": "",
    },
    {"linked": "real", "sites/dir": "../real", "sites/gone": "/nowhere"},
)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("x.conf", "/etc/apache2/x.conf"),
        ("./a//b", "/etc/apache2/a/b"),
        ("a/../b", "/etc/apache2/b"),
        ("../../../../b", "/b"),
        ("/x/y/../z", "/x/z"),
        ("//x", "/x"),
        ("d/", "/etc/apache2/d/"),
        ("/", "/"),
        ("", "/etc/apache2"),
    ],
)
def test_a_path_is_relative_to_the_root_and_its_dots_are_text(text, path):
    assert absolute(ROOT, text) == path


@pytest.mark.parametrize("text", ["", "a", "a[b", "a]b", "]a[", r"\*", r"a\[b]", "a\\"])
def test_what_is_no_pattern_stands_for_itself(text):
    assert not is_pattern(text)
    assert matches(text, text)
    assert not matches(text, f"{text}x")


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("*", ["a", "a.b"], [".a"]),
        (".*", [".a"], ["a"]),
        ("?a", ["xa"], [".a", "a"]),
        ("[ab]*", ["ax", "b"], ["c", ".a"]),
        ("[!.]*", ["a"], [".a"]),
        ("[.]*", [], [".a"]),
        ("[]x]*", ["]", "xy"], ["a"]),
        ("[^a-c]*", ["d"], ["b"]),
        ("[c-a]*", [], ["b", "a"]),
        (r"\[*", ["[x"], ["x"]),
        ("x[*", ["x[", "x[y"], ["x"]),
        ("*.conf", ["a.conf"], ["a.conf~", ".conf"]),
    ],
)
def test_a_pattern_matches_as_in_apr(pattern, yes, no):
    assert [name for name in yes if not matches(pattern, name)] == []
    assert [name for name in no if matches(pattern, name)] == []


@given(st.text(alphabet="ab[]!^-*?\\.", max_size=8), st.text(alphabet="ab[].-", max_size=5))
def test_no_pattern_is_too_odd(pattern, name):
    assert matches(pattern, name) in {True, False}


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("/etc/apache2/sites/*.conf", ["B.conf", "a.conf"]),
        ("/etc/apache2/sites/.h*", [".hidden"]),
        ("/etc/apache2/linked", ["x.conf"]),
        ("/etc/apache2/none/*", []),
        ("/etc/apache2/none", []),
        ("/etc/apache2/*/x.conf", ["x.conf"]),
    ],
)
def test_a_pattern_names_what_is_there_by_bytes(pattern, names):
    named = expand(TREE, pattern, optional=True)

    assert [path.name for path in named.paths] == names
    assert named.problem is None


def test_a_directory_is_read_with_everything_below_it_and_its_links_are_told():
    named = expand(TREE, "/etc/apache2/sites", optional=True)

    assert [str(path.relative_to(ROOT / "sites")) for path in named.paths] == [
        ".hidden",
        "B.conf",
        "a.conf",
        "a.conf~",
        "dir/x.conf",
        "sub/z",
    ]
    assert named.linked == (ROOT / "sites/dir",)


def test_directories_without_end_are_a_problem():
    deep = "/".join("d" * 25)
    named = expand(memory({f"{deep}/x": ""}), "/etc/apache2/d", optional=False)

    assert named.problem is not None
    assert "more than 20 directories" in named.problem


@pytest.mark.parametrize(
    ("pattern", "path", "answer"),
    [
        ("/etc/apache2/sites/*.conf", "sites/new.conf", True),
        ("/etc/apache2/sites/*.conf", "sites/.new.conf", False),
        ("/etc/apache2/sites/*.conf", "sites/new.conf.tmp", False),
        ("/etc/apache2/sites/*.conf", "sites/deep/new.conf", False),
        ("/etc/apache2/sites/*.conf", "sites/new.conf/inner", True),
        ("/etc/apache2/sites", "sites/.new", True),
        ("/etc/apache2/sites/", "sites/deep/deeper/.new", True),
        ("/etc/apache2/sites", "sitesmore", False),
        ("/etc/apache2/linked/*", "real/new", True),
        ("/etc/apache2/linked", "real/.new", True),
        ("/etc/apache2/real/x.conf", "real/x.conf", True),
        ("/etc/apache2/real/x.conf", "real/.x.conf.tmp", False),
        ("/etc/apache2/*/conf/*.conf", "any/conf/a.conf", True),
        ("/etc/apache2/*/conf/*.conf", ".any/conf/a.conf", False),
        ("/etc/apache2/*/conf/*.conf", "any/a.conf", False),
        ("/etc/other/*", "sites/a.conf", False),
    ],
)
def test_whether_an_include_would_read_a_file(pattern, path, answer):
    assert reads(pattern, PurePosixPath(ROOT / path), TREE) is answer
