"""Reading one file: nginx's rules, spans, and reasons for every refusal."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from staplecfg.model.errors import NotUnderstood
from staplecfg.servers.nginx.scan import DEEPEST, scan, walk
from tests.support import nginx_reference

PATH = PurePosixPath("/etc/nginx/nginx.conf")


def words(data: bytes):
    return [directive.words for directive in walk(scan(data, PATH))]


def problem(data: bytes) -> NotUnderstood:
    with pytest.raises(NotUnderstood) as caught:
        scan(data, PATH)
    return caught.value


def test_an_empty_file_has_no_directives():
    assert scan(b"", PATH) == ()


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(b"a b c;", [("a", "b", "c")], id="words"),
        pytest.param(b"a \"b c\" 'd e';", [("a", "b c", "d e")], id="quotes"),
        pytest.param(b'a "it\'s" \'say "x"\';', [("a", "it's", 'say "x"')], id="other quote"),
        pytest.param(b'a "";', [("a", "")], id="empty word"),
        pytest.param(b'"a" b;', [("a", "b")], id="quoted name"),
        pytest.param(b"a b\\ c;", [("a", "b\\ c")], id="escaped blank keeps its backslash"),
        pytest.param(b"a b\\;c;", [("a", "b\\;c")], id="escaped semicolon"),
        pytest.param(b'a "\\"\\t\\n\\\\.";', [("a", '"\t\n\\.')], id="escapes"),
        pytest.param(b"a \\.php$;", [("a", "\\.php$")], id="unknown escape stays"),
        pytest.param(b"a ${b} c;", [("a", "${b}", "c")], id="braced variable, then a word"),
        pytest.param(b"a x${b}y{c;}", [("a", "x${b}y"), ("c",)], id="braced variable inside"),
        pytest.param(b"a b}c;", [("a", "b}c")], id="brace inside a word"),
        pytest.param(b"a b#c;", [("a", "b#c")], id="sharp inside a word"),
        pytest.param(b'a b"c";', [("a", 'b"c"')], id="quote inside a word"),
        pytest.param(b'if ($a = "b") {c;}', [("if", "($a", "=", "b", ")"), ("c",)], id="if"),
        pytest.param(b"a # b;\n c;", [("a", "c")], id="comment between words"),
        pytest.param(b"a b; # c", [("a", "b")], id="comment is the last line"),
        pytest.param(b"# a\r b;\nc;", [("c",)], id="a lone CR ends no comment"),
        pytest.param(b"a\rb;", [("a", "b")], id="a lone CR parts words"),
        pytest.param(b"a\x0cb;", [("a\x0cb",)], id="a form feed does not"),
        pytest.param(b"a b;\r\n\tc{}\r\n", [("a", "b"), ("c",)], id="CRLF"),
        pytest.param(b"a\n{\n}", [("a",)], id="brace on the next line"),
        pytest.param(b"a \xff\xfe;", [("a", "\udcff\udcfe")], id="bytes that are no UTF-8"),
        pytest.param(b"a 'b\nc {';", [("a", "b\nc {")], id="line feed in quotes"),
    ],
)
def test_words_are_what_nginx_reads(data: bytes, expected: list[tuple[str, ...]]):
    assert words(data) == expected


def test_spans_cover_the_statement_and_nothing_else():
    data = b'# head\n  "server" {\n\tlisten 443; # x\n\tlocation / { a b; } }\n'

    for directive in walk(scan(data, PATH)):
        text = data[directive.span.start : directive.span.end]

        assert text.startswith((b'"', directive.name.encode()))
        assert text.endswith(b"}" if directive.block else b";")
    (server,) = scan(data, PATH)
    assert server.block is not None
    assert data[server.block.inside.start - 1 : server.block.inside.start] == b"{"
    assert data[server.block.inside.end : server.span.end] == b"}"


def test_lines_are_those_of_the_names():
    data = b"a\n b\n;\n\n c 'x\ny' {\n d;\n}\ne;"

    assert [(each.name, each.line) for each in walk(scan(data, PATH))] == [
        ("a", 1),
        ("c", 5),
        ("d", 7),
        ("e", 9),
    ]


@pytest.mark.parametrize(
    ("data", "line", "said"),
    [
        pytest.param(b"a {\n b 1\n}", 2, "not finished before the }", id="semicolon missing"),
        pytest.param(b"a;\nb {\n c;\n", 2, "never closed", id="brace missing"),
        pytest.param(b"a;\nb c", 2, "ends before the directive b does", id="end of file"),
        pytest.param(b"a {}\n}", 2, "unexpected }", id="one brace too many"),
        pytest.param(b"a;\n;", 2, "unexpected ;", id="empty statement"),
        pytest.param(b"a;\n{}", 2, "unexpected {", id="block without a name"),
        pytest.param(b'a;\nb "c\nd;', 2, "never ends", id="quote"),
        pytest.param(b"a;\nb 'c''d';", 2, "directly behind a closing quote", id="glued quotes"),
        pytest.param(b"a;\nb \\", 2, "backslash", id="backslash at the end"),
        pytest.param(b"\xef\xbb\xbfa;", 1, "byte order mark", id="BOM"),
        pytest.param(b"a;\n\xc2\xa0b c;", 2, "blank that nginx takes", id="NBSP indentation"),
        pytest.param(b"a;\nb\xc2\xa0c;", 2, "blank that nginx takes", id="NBSP separator"),
        pytest.param(b"a;\nb\xa0c;", 2, "blank that nginx takes", id="NBSP of Latin-1"),
        pytest.param(b"a;\nb x{3}$ {\n c;\n}", 2, "never closed", id="unquoted regex braces"),
        pytest.param(b"a;\nb_by_lua_block { x = '}'", 2, "Lua", id="Lua without an end"),
    ],
)
def test_what_nginx_refuses_is_refused_with_its_line_and_advice(data: bytes, line: int, said: str):
    error = problem(data)

    assert said in error.problem
    assert error.at is not None
    assert (error.at.path, error.at.line) == (PATH, line)
    assert error.hint


def test_a_no_break_space_is_welcome_where_anything_is():
    assert words(b"map $a $b { \xc2\xa0x 1; }")[1] == ("\xa0x", "1")
    assert words(b'add_header X "a\xc2\xa0b";') == [("add_header", "X", "a\xa0b")]


def test_nesting_to_the_limit_is_read_and_one_deeper_refused():
    def nested(depth: int) -> bytes:
        return b"a {" * depth + b"}" * depth

    assert len(list(walk(scan(nested(DEEPEST), PATH)))) == DEEPEST
    assert scan(nested(DEEPEST), PATH) == scan(nested(DEEPEST), PATH)
    assert "inside one another" in problem(nested(DEEPEST + 1)).problem
    assert "inside one another" in problem(nested(100_000)).problem


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"x = '}' .. \"}\"", id="strings"),
        pytest.param(b"x = '\\'}'", id="escaped quote"),
        pytest.param(b"-- }\n", id="comment"),
        pytest.param(b"--[[ } \n } ]] x = 1", id="long comment"),
        pytest.param(b"--[==[ }]] } ]==] x = 1", id="long comment with level"),
        pytest.param(b"x = [=[ } ]] \" ' ]=]", id="long string"),
        pytest.param(b"x = { { 1 }, {} }", id="tables"),
        pytest.param(b"x = 'it''s' -- don't\n", id="quote in a comment"),
        pytest.param(b"", id="empty"),
    ],
)
@pytest.mark.parametrize("name", [b"content_by_lua_block", b"new_in_2031_by_lua_block"])
def test_lua_is_opaque_up_to_its_own_brace(name: bytes, body: bytes):
    data = b"a {\n" + name + b" {" + body + b"}\n b;}"

    lua, after = scan(data, PATH)[0].block.children  # type: ignore[union-attr]  # a is a block
    assert lua.block is not None
    assert lua.block.opaque
    assert lua.block.children == ()
    assert data[lua.block.inside.start : lua.block.inside.end] == body
    assert after.name == "b"


def test_a_lua_block_may_have_words_before_its_brace():
    (lua,) = scan(b"set_by_lua_block $x { return '}' }", PATH)

    assert lua.args == ("$x",)


def test_no_word_makes_another_block_lua():
    assert words(b"a content_by_lua_block { b '}'; }")[1] == ("b", "}")


PIECES = [*map(bytes, zip(b" \t\r\n;{}\"'#$\\)an\xff")), b"${", b"a b;", b"c {"]
BYTES = st.lists(st.sampled_from(PIECES), max_size=40).map(b"".join)


@given(BYTES)
def test_the_scanner_agrees_with_nginx_tokenizer(data: bytes):
    try:
        expected = [
            tuple(word.decode("utf-8", "surrogateescape") for word in found)
            for found, mark in nginx_reference.statements(data)
            if mark != "}"
        ]
    except nginx_reference.Refused:
        expected = None

    try:
        read = words(data)
    except NotUnderstood:
        read = None
    assert read == expected


@pytest.mark.parametrize("length", range(4091, 4099))
@pytest.mark.parametrize("before", [0, 1, 4000, 4095, 5000])
@pytest.mark.parametrize(
    "frame",
    [
        pytest.param((b"a ", b";"), id="word before a semicolon"),
        pytest.param((b"a ", b" b;"), id="word before a blank"),
        pytest.param((b'a "', b'";'), id="quoted before a semicolon"),
        pytest.param((b"a '", b"' b;"), id="quoted before a blank"),
        pytest.param((b"#", b"\n"), id="comment before the end"),
        pytest.param((b"#", b"\na;"), id="comment before more"),
        pytest.param((b"#", b""), id="comment without line feed"),
    ],
)
def test_what_is_too_long_for_nginx_is_too_long(
    frame: tuple[bytes, bytes], before: int, length: int
):
    data = b" " * before + frame[0] + b"x" * length + frame[1]
    try:
        nginx_reference.statements(data)
        accepted = True
    except nginx_reference.Refused:
        accepted = False

    if accepted:
        scan(data, PATH)
    else:
        assert "too long for nginx" in problem(data).problem
