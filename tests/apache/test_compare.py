"""A slip of the first reader's, of any kind, is found by the second one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

import pytest

from staplecfg.model.directive import Block, Directive
from staplecfg.model.source import Span
from staplecfg.servers.apache.compare import difference, disagreement
from staplecfg.servers.apache.plain_reader import Failure, Statement, read
from staplecfg.servers.apache.scan import scan

PATH = PurePosixPath("/etc/apache2/apache2.conf")
DATA = b"# x\nA b \\\n  'c d'\n<E f>\n  G h\n# end\n</E> i\nJ\n"


def test_both_see_the_same_where_nobody_slips():
    assert disagreement(DATA, PATH) is None
    assert disagreement(b"", PATH) is None


def test_the_second_reader_has_words_depth_and_last_line():
    assert read(DATA) == [
        Statement(0, "a", ("b", "c d"), 3),
        Statement(0, "<e", ("f",), 4),
        Statement(1, "g", ("h",), 5),
        Statement(0, "j", (), 8),
    ]


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"A\n</B>\n", 2),
        (b"<A>\n</B>\n", 2),
        (b"A\n<B c\n</B>\n", 2),
        (b"A\n<B>\nC\n", 3),
    ],
)
def test_the_second_reader_refuses_faults_in_sections_by_itself(data: bytes, line: int):
    found = read(data)

    assert isinstance(found, Failure)
    assert found.line == line
    said = difference(data, (), PATH)
    assert said is not None
    assert "the second reader cannot read" in said.problem


def first(**changed: Any):
    def slip(tree: tuple[Directive, ...]) -> tuple[Directive, ...]:
        return (replace(tree[0], **changed), *tree[1:])

    return slip


def section(**changed: Any):
    def slip(tree: tuple[Directive, ...]) -> tuple[Directive, ...]:
        assert tree[1].block is not None
        return (tree[0], replace(tree[1], block=replace(tree[1].block, **changed)), tree[2])

    return slip


START = DATA.index(b"A b")
END = DATA.index(b"\n<E")
INSIDE = DATA.index(b"\n  G")

SLIPS = {
    "another name": first(name="B"),
    "another argument": first(args=("b", "c")),
    "an argument too many": first(args=("b", "c d", "e")),
    "a directive missed": lambda tree: tree[1:],
    "a directive made up": lambda tree: (*tree, tree[2]),
    "a child missed": section(children=()),
    "a child beside its section": lambda tree: (
        tree[0],
        replace(tree[1], block=replace(tree[1].block, children=())),
        *tree[1].block.children,
        tree[2],
    ),
    "a section taken for a line": lambda tree: (tree[0], replace(tree[1], block=None), tree[2]),
    "a line taken for a section": first(block=Block(Span(END, END), ())),
    "a span that begins late": first(span=Span(START + 1, END)),
    "a span that begins early": first(span=Span(START - 3, END)),
    "a span with the comment before it": first(span=Span(0, END)),
    "a span that ends early": first(span=Span(START, END - 1)),
    "a span that ends late": first(span=Span(START, INSIDE)),
    "an inside that begins early": section(inside=Span(INSIDE - 1, DATA.index(b"</E"))),
    "an end tag with the comment before it": section(inside=Span(INSIDE, DATA.index(b"# end"))),
    "an inside that ends late": section(inside=Span(INSIDE, DATA.index(b"</E") + 1)),
    "an inside that ends early": section(inside=Span(INSIDE, DATA.index(b"h\n# end"))),
}


@pytest.mark.parametrize("slip", SLIPS.values(), ids=SLIPS)
def test_a_slip_is_found_and_has_its_place(slip):
    said = difference(DATA, slip(scan(DATA, PATH)), PATH)

    assert said is not None
    assert said.rule == "readers-disagree"
    assert said.location is not None
    assert said.location.line in range(1, 9)
    assert said.hint
