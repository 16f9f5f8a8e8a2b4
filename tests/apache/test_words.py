"""Words as httpd parts and unquotes them, and as we write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from staplecfg.model.errors import UsageProblem
from staplecfg.servers.apache.words import LONGEST_LINE, quote, split, statement


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(b"", (), id="nothing"),
        pytest.param(b" \t", (), id="blanks"),
        pytest.param(b"a  b\tc\vd\fe\rf", tuple("abcdef"), id="every blank"),
        pytest.param(b"a # b", ("a", "#", "b"), id="a sharp is a word"),
        pytest.param(b"\"a b\" 'c d'", ("a b", "c d"), id="quotes"),
        pytest.param(b"\"a'b\" 'c\"d'", ("a'b", 'c"d'), id="other quote"),
        pytest.param(b"\"\" '' a", ("", "", "a"), id="empty words"),
        pytest.param(b'a"b c"', ('a"b', 'c"'), id="quotes inside are letters"),
        pytest.param(b'"a"b', ("a", "b"), id="a closing quote ends the word"),
        pytest.param(b'"a b', ("a b",), id="quote that never ends"),
        pytest.param(b'"a \\" b" c', ('a " b', "c"), id="escaped quote"),
        pytest.param(b"'a \\' b \\\" '", ("a ' b \\\" ",), id="only one's own quote is escaped"),
        pytest.param(b"a\\\\b \\c", ("a\\b", "\\c"), id="backslashes of a bare word"),
        pytest.param(b'a\\"b', ('a\\"b',), id="no escaped quote in a bare word"),
        pytest.param(b'"a\\\\" b', ("a\\", "b"), id="escaped backslash before the quote"),
        pytest.param(b'"a\\n"', ("a\\n",), id="unknown escape stays"),
        pytest.param(b"a\xc2\xa0b", ("a\xa0b",), id="a no-break space parts nothing"),
        pytest.param(b"\xff", ("\udcff",), id="bytes that are no UTF-8"),
        pytest.param(b"${A} %{B}", ("${A}", "%{B}"), id="variables stay"),
    ],
)
def test_words_are_what_httpd_reads(text: bytes, expected: tuple[str, ...]):
    assert split(text) == expected


@pytest.mark.parametrize(
    ("word", "written"),
    [
        pytest.param("on", "on", id="plain"),
        pytest.param("http://127.0.0.1:8888/", "http://127.0.0.1:8888/", id="URL"),
        pytest.param("shmcb:/run/a(131072)", "shmcb:/run/a(131072)", id="cache"),
        pytest.param("", '""', id="empty"),
        pytest.param("a b", '"a b"', id="blank"),
        pytest.param('say "x"', '"say \\"x\\""', id="quotes"),
        pytest.param("a\\", '"a\\\\"', id="backslash at the end"),
        pytest.param("'a", '"\'a"', id="leading quote"),
    ],
)
def test_a_word_is_written_as_plainly_as_can_be(word: str, written: str):
    assert quote(word) == written
    assert split(written.encode()) == (word,)


BYTES = st.text(st.sampled_from("ab \t\r\\\"'#<>$%\xa0\udcff"), max_size=12)
WORDS = (st.text(max_size=12) | BYTES).filter(lambda word: not {"\n", "\0"} & set(word))


@given(st.lists(WORDS, min_size=1))
def test_what_is_written_is_read_back(args: list[str]):
    line = statement(("Name", *args)).encode("utf-8", "surrogateescape")

    assert b"\n" not in line
    assert not line.endswith(b"\\")
    assert split(line) == ("Name", *args)


@pytest.mark.parametrize("word", ["a\nb", "a\0", "${HOME}", "x${"])
def test_what_cannot_be_written_is_refused(word: str):
    with pytest.raises(UsageProblem):
        quote(word)


def test_a_line_too_long_for_a_macro_is_refused():
    fits = "a" * (LONGEST_LINE - len("Name "))

    assert len(statement(("Name", fits))) == LONGEST_LINE
    with pytest.raises(UsageProblem):
        statement(("Name", fits + "a"))
