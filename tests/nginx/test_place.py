"""Putting lines in and taking exactly them out."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from staplecfg.model.edit import apply_edits
from staplecfg.servers.nginx import place
from staplecfg.servers.nginx.compare import disagreement
from staplecfg.servers.nginx.scan import scan, walk
from tests.support.nginx_trees import server_blocks

PATH = PurePosixPath("/x")
WANTED = (
    ("ssl_stapling", "on"),
    ("include", "/var/lib/staplecfg/nginx/a b-1234/*.conf"),
)


def inserted(data: bytes, which: int = 0, wanted=WANTED) -> bytes:
    return apply_edits(data, place.insert(data, server_blocks(data)[which], wanted))


def taken_out(data: bytes, wanted=WANTED) -> bytes:
    ours = [each for each in walk(scan(data, PATH)) if each.words in wanted]
    return apply_edits(data, place.take_out(data, ours))


CASES = {
    "behind the last certificate": (
        b"server {\n  listen 443 ssl;\n  ssl_certificate a;\n  ssl_certificate_key b;\n\n  c;\n}\n",
        b"  ssl_certificate_key b;\n  S;\n  I;\n\n  c;\n}\n",
    ),
    "behind the second pair": (
        b"server {\n  ssl_certificate a;\n  ssl_certificate b;\n  c;\n}",
        b"  ssl_certificate b;\n  S;\n  I;\n  c;\n}",
    ),
    "behind a TLS listen": (
        b"server {\n\tlisten 443 ssl;\n\tlisten 80;\n}",
        b"\tlisten 443 ssl;\n\tS;\n\tI;\n\tlisten 80;\n}",
    ),
    "behind any listen": (b"server {\n  a;\n  listen 80;\n}", b"  listen 80;\n  S;\n  I;\n}"),
    "first": (b"server {\n  a;\n}", b"server {\n  S;\n  I;\n  a;\n}"),
    "into an empty block": (b"  server {\n  }", b"  server {\n      S;\n      I;\n  }"),
    "into an empty block with tabs": (b"\tserver {\n\t}", b"\tserver {\n\t\tS;\n\t\tI;\n\t}"),
    "brace on its own line": (b"server\n{\n  a;\n}", b"server\n{\n  S;\n  I;\n  a;\n}"),
    "behind a comment": (
        b"server {\n listen 1 ssl; # x { y\n b;\n}",
        b"server {\n listen 1 ssl; # x { y\n S;\n I;\n b;\n}",
    ),
    "not into another block": (
        b"server {\n listen 1 ssl; location / {\n  a;\n }\n b;\n}",
        b"  a;\n }\n S;\n I;\n b;\n}",
    ),
    "not into a directive of several lines": (
        b"server {\n listen 1 ssl; a b\n  c;\n d;\n}",
        b"listen 1 ssl; a b\n  c;\n S;\n I;\n d;\n}",
    ),
    "not into quotes": (
        b"server {\n listen 1 ssl; a 'x\ny';\n d;\n}",
        b"a 'x\ny';\n S;\n I;\n d;\n}",
    ),
    "CRLF": (
        b"server {\r\n  listen 1 ssl;\r\n}\r\n",
        b"server {\r\n  listen 1 ssl;\r\n  S;\r\n  I;\r\n}\r\n",
    ),
    "no final line feed": (b"server {\nlisten 1 ssl;\n}", b"listen 1 ssl;\nS;\nI;\n}"),
    "one line": (b"server { listen 1 ssl; a; }", b"server { listen 1 ssl; S; I; a; }"),
    "one line, glued": (b"server{listen 1 ssl;}", b"server{listen 1 ssl; S; I;}"),
    "one line, empty": (b"server {}", b"server { S; I;}"),
    "last lines glued": (
        b"server {\n a;\n listen 1 ssl; }",
        b"server {\n a;\n listen 1 ssl; S; I; }",
    ),
    "glued anchor": (
        b"server {\n  a; listen 1 ssl;\n  b;\n}",
        b"server {\n  a; listen 1 ssl;\n  S;\n  I;\n  b;\n}",
    ),
    "two statements a line": (
        b"server {\n  listen 1 ssl; ssl_certificate a; b;\n}",
        b"ssl_certificate a; b;\n  S;\n  I;\n}",
    ),
}


@pytest.mark.parametrize(("before", "after"), CASES.values(), ids=CASES)
def test_lines_go_where_a_person_would_put_them_and_come_out_without_a_trace(
    before: bytes, after: bytes
):
    expected = after.replace(b"S;", b"ssl_stapling on;").replace(
        b"I;", b'include "/var/lib/staplecfg/nginx/a b-1234/*.conf";'
    )

    edited = inserted(before)

    assert edited.endswith(expected)
    assert disagreement(edited, PATH) is None
    assert taken_out(edited) == before


def test_nothing_wanted_is_no_edit():
    (block,) = server_blocks(b"server { }")

    assert place.insert(b"server { }", block, ()) == ()
    assert place.take_out(b"server { }", ()) == ()


def test_only_blocks_of_directives_take_any():
    (lua,) = scan(b"a_by_lua_block { }", PATH)
    (simple,) = scan(b"a;", PATH)

    for directive in (lua, simple):
        with pytest.raises(ValueError, match="holds no directives"):
            place.insert(b"", directive, WANTED)


@pytest.mark.parametrize(
    ("data", "left"),
    [
        pytest.param(
            b"s {\n  ssl_stapling on; # mine\n}", b"s {\n  # mine\n}", id="a comment behind stays"
        ),
        pytest.param(
            b"s {\n  # mine\n  ssl_stapling on;\n}",
            b"s {\n  # mine\n}",
            id="a comment before stays",
        ),
        pytest.param(b"s {\n  ssl_stapling on; }", b"s {\n  }", id="the brace behind stays"),
        pytest.param(b"s {a;ssl_stapling on;b;}", b"s {a;b;}", id="glued by a person"),
        pytest.param(b"s {a;\tssl_stapling on;}", b"s {a;\t}", id="a tab is not ours"),
        pytest.param(b"s {\n ssl_stapling\n  on\n ;\n}", b"s {\n}", id="spread over lines"),
        pytest.param(b"s {\n ssl_stapling on;", b"s {\n", id="last line without line feed"),
        pytest.param(b"s {\r\n\tssl_stapling on;\r\n}", b"s {\r\n}", id="CRLF"),
    ],
)
def test_what_people_wrote_around_our_line_stays(data: bytes, left: bytes):
    start = data.index(b"ssl_stapling")
    (ours,) = scan(data[start : data.index(b";", start) + 1], PATH)
    # Shifted to where it stands, for some of these texts are cut short.
    shifted = type(ours)(
        ours.name,
        ours.args,
        ours.line,
        type(ours.span)(start + ours.span.start, start + ours.span.end),
    )

    assert apply_edits(data, place.take_out(data, [shifted])) == left


def test_two_of_ours_moved_onto_a_line_of_their_own_take_the_line_along():
    data = b"s {\n  ssl_stapling on; ssl_stapling off;\n  a;\n}"

    assert taken_out(data, (("ssl_stapling", "on"), ("ssl_stapling", "off"))) == b"s {\n  a;\n}"


def test_replacing_touches_the_directive_alone():
    data = b"s { ssl_stapling  off ; # no\n}"
    (present,) = [each for each in walk(scan(data, PATH)) if each.name == "ssl_stapling"]

    edit = place.replacement(present, ("ssl_stapling", "on"))

    assert apply_edits(data, [edit]) == b"s { ssl_stapling on; # no\n}"


def test_a_block_is_not_replaced():
    (block,) = scan(b"a { }", PATH)

    with pytest.raises(ValueError, match="is a block"):
        place.replacement(block, ("b",))


BLANKS = st.sampled_from(
    ["", " ", "\n", "\r\n", "\n  ", "\t", "\n\t", "  # x ; }\n", "\n\n    ", "\r"]
)
SIMPLE = st.sampled_from(
    [
        "a;",
        "listen 443 ssl;",
        "listen 80;",
        "ssl_certificate x;",
        "ssl_certificate_key 'y\nz';",
        "b\n c;",
        "if ($a) {\n d;\n}",
        "e { }",
        "x_by_lua_block { '}'\n }",
        '"#q";',
        "f {g;}",
    ]
)
BODIES = st.lists(st.tuples(BLANKS, SIMPLE), max_size=6)


@given(BODIES, BLANKS, BLANKS, BODIES)
def test_taking_out_what_was_put_in_gives_the_bytes_back(body, outer, last, other):
    inside, beside = ("".join(map("".join, pieces)) for pieces in (body, other))
    data = f"{outer}server{outer} {{{inside}{last}}}{beside}{outer}".encode()
    before = scan(data, PATH)

    edited = inserted(data)
    after = scan(edited, PATH)

    assert taken_out(edited) == data
    assert disagreement(edited, PATH) is None
    assert [each.words for each in walk(after) if each.words not in WANTED] == [
        each.words for each in walk(before)
    ]
    (block,) = list(server_blocks(edited))
    assert block.block is not None
    assert [each.words for each in block.block.children if each.words in WANTED] == list(WANTED)


@given(BODIES, BLANKS)
def test_an_insertion_never_touches_a_byte_that_is_there(body, last):
    data = f"server {{{''.join(map(''.join, body))}{last}}}".encode()

    edits = place.insert(data, server_blocks(data)[0], WANTED)

    assert [edit.span.end - edit.span.start for edit in edits] == [0]
