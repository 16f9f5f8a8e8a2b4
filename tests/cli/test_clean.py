"""Foreign text on its way to a terminal."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from staplecfg.cli.output.clean import clean, clean_line

TABLE = [
    pytest.param("", "", id="nothing"),
    pytest.param("shop.example", "shop.example", id="a name stays"),
    pytest.param("bücher ☃ 中文 🙂", "bücher ☃ 中文 🙂", id="letters of every script stay"),
    pytest.param("\\x1b", "\\x1b", id="a backslash stays"),
    pytest.param("\x1b[31m", "\\x1b[31m", id="colour"),
    pytest.param("\x1b]0;owned\x07", "\\x1b]0;owned\\x07", id="the window's title"),
    pytest.param("\x9b31m", "\\x9b31m", id="the same in one octet (C1)"),
    pytest.param("a\rb", "a\\x0db", id="overwriting the line"),
    pytest.param("a\bb", "a\\x08b", id="going back"),
    pytest.param("\x00", "\\x00", id="NUL"),
    pytest.param("\x7f", "\\x7f", id="DEL"),
    pytest.param("\x85", "\\x85", id="next line"),
    pytest.param("a\u2028b", "a\\u2028b", id="a line separator"),
    pytest.param("\u202egpj.exe", "\\u202egpj.exe", id="letters turned round"),
    pytest.param("\u2066x\u2069", "\\u2066x\\u2069", id="isolates"),
    pytest.param("a\u200bb\ufeff", "a\\u200bb\\ufeff", id="what has no width"),
    pytest.param("\udcff", "\\xff", id="an octet that is no UTF-8"),
    pytest.param("\ud800", "\\ud800", id="half a character"),
    pytest.param("\U000e0041", "\\U000e0041", id="an invisible tag"),
]


@pytest.mark.parametrize(("text", "shown"), TABLE)
def test_what_a_terminal_might_obey_is_written_out(text, shown):
    assert clean(text) == shown
    assert clean_line(text) == shown


def test_lines_and_tabs_stay_where_there_may_be_several():
    assert clean("a\n\tb\n") == "a\n\tb\n"


def test_one_line_stays_one():
    assert clean_line("a\n\tb\n") == "a\\n\\tb\\n"
    assert clean_line("shop.example\nerror: all is well") == "shop.example\\nerror: all is well"


@given(st.text(st.characters(exclude_categories=())))
def test_nothing_that_acts_ever_comes_out(text):
    shown = clean_line(text)

    # Cc, Cf, Cs, and Zl and Zp: controls, formats, surrogates, separators of lines.
    assert not {unicodedata.category(each) for each in shown} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert len(shown.splitlines()) <= 1
    shown.encode()  # no lone surrogate
    assert clean_line(shown) == shown


@given(st.binary())
def test_octets_are_shown_whatever_they_are(data):
    shown = clean_line(data.decode("utf-8", "surrogateescape"))

    assert not any(ord(each) < 0x20 or 0x7F <= ord(each) < 0xA0 for each in shown)  # C0, DEL, C1
    shown.encode()
