"""Lines as httpd counts and joins them."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from staplecfg.model.errors import NotUnderstood
from staplecfg.servers.apache.lines import LONGEST, lines

PATH = PurePosixPath("/etc/apache2/apache2.conf")


def read(data: bytes) -> list[tuple[int, bytes]]:
    return [(line.number, line.text) for line in lines(data, PATH)]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(b"", [], id="empty file"),
        pytest.param(b"\n \t\r\n", [], id="blank lines"),
        pytest.param(b"a\nb", [(1, b"a"), (2, b"b")], id="no final line feed"),
        pytest.param(b" \t\v\f a b \r\n", [(1, b"a b")], id="blanks around"),
        pytest.param(b"# a\n #b\nc", [(3, b"c")], id="comments"),
        pytest.param(b"a # b", [(1, b"a # b")], id="a sharp inside is none"),
        pytest.param(b"a \\\n  b\nc", [(1, b"a   b"), (3, b"c")], id="joined"),
        pytest.param(b"a\\\nb", [(1, b"ab")], id="joined without a blank"),
        pytest.param(b"a\\\r\nb\r\n", [(1, b"ab")], id="joined, CRLF"),
        pytest.param(b"# a \\\nb\nc", [(3, b"c")], id="joined comment"),
        pytest.param(b"a\\\\\nb", [(1, b"a\\b")], id="a doubled backslash joins"),
        pytest.param(b"a\\\\\n\nb", [(1, b"ab")], id="what is left of it joins an empty line"),
        pytest.param(b"a\\\\\n\r\nb", [(1, b"ab")], id="and one with a carriage return"),
        pytest.param(b"a\\ \nb", [(1, b"a\\"), (2, b"b")], id="not with a blank behind it"),
        pytest.param(b"\\\n\\\n a\nb", [(3, b"a"), (4, b"b")], id="empty continuations before"),
        pytest.param(b"a \\\n", [(1, b"a")], id="continued into the end"),
        pytest.param(b"a \\\nb", [(1, b"a b")], id="continued into a last line"),
        pytest.param(b"a \\", [(1, b"a \\")], id="backslash without line feed"),
        pytest.param(b"a\rb\n", [(1, b"a\rb")], id="a lone carriage return ends no line"),
        pytest.param(b"a\xc2\xa0\n", [(1, b"a\xc2\xa0")], id="a no-break space is no blank"),
    ],
)
def test_lines_are_those_that_httpd_reads(data: bytes, expected: list[tuple[int, bytes]]):
    assert read(data) == expected


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"a\n  b c \t\nd\n", id="simple"),
        pytest.param(b"a \\\r\n  b\r\n\td \r\n", id="CRLF, continued"),
        pytest.param(b"  \\\n a \\\n b\n", id="empty continuation first"),
        pytest.param(b"a\\\\\n\nb\nc", id="doubled backslash"),
        pytest.param(b"a \\\n", id="continued into the end"),
    ],
)
def test_places_are_those_of_the_first_byte_and_of_the_end(data: bytes):
    for line in lines(data, PATH):
        assert data[line.first : line.first + 1] == line.text[:1]
        assert data.count(b"\n", 0, line.first) + 1 == line.number
        assert data[line.end : line.following] in {b"\n", b"\r\n", b""}
        assert not data[line.first : line.end].endswith((b"\r", b"\n")) or line.end == len(data)


def test_a_nul_byte_is_refused_with_its_line():
    with pytest.raises(NotUnderstood, match="NUL") as caught:
        list(lines(b"a\nb \0 c\n", PATH))

    assert caught.value.at is not None
    assert caught.value.at.line == 2


def test_a_line_as_long_as_httpd_reads_is_read_and_a_longer_one_refused():
    longest = b"a " + b"b" * (LONGEST - 3)

    assert len(read(longest + b"\n")[0][1]) == LONGEST - 1
    with pytest.raises(NotUnderstood, match="too long") as caught:
        read(b"x\n" + longest + b"b\n")
    assert caught.value.at is not None
    assert caught.value.at.line == 2
    with pytest.raises(NotUnderstood, match="too long"):
        read(b"#" * LONGEST + b"\n")


@pytest.mark.parametrize("length", [206, 414, 622, 1246, 1870, 8134, 16326, 32710])
def test_a_last_line_that_httpd_loses_is_refused(length: int):
    last = b"a" * length

    with pytest.raises(NotUnderstood, match="lose the last line"):
        read(b"x\n" + last)
    with pytest.raises(NotUnderstood, match="lose the last line"):
        read(b"x \\\n" + last[2:])
    assert read(last + b"\n") == [(1, last)]
    assert read(last + b"a") == [(1, last + b"a")]
