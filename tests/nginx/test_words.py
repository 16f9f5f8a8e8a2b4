"""Writing a word so that nginx reads it back."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from staplecfg.model.errors import UsageProblem
from staplecfg.servers.nginx.compare import disagreement
from staplecfg.servers.nginx.scan import scan
from staplecfg.servers.nginx.words import LONGEST_QUOTED, quote, statement

PATH = PurePosixPath("/x")


@pytest.mark.parametrize(
    ("word", "written"),
    [
        pytest.param("on", "on", id="plain"),
        pytest.param("/var/lib/x-1a2b/*.conf", "/var/lib/x-1a2b/*.conf", id="path with a glob"),
        pytest.param("http://127.0.0.1:8080/", "http://127.0.0.1:8080/", id="URL"),
        pytest.param("", '""', id="empty"),
        pytest.param("a b", '"a b"', id="blank"),
        pytest.param("a;b", '"a;b"', id="semicolon"),
        pytest.param("#a", '"#a"', id="comment sign"),
        pytest.param("${a} b", '"${a} b"', id="braced variable"),
        pytest.param("\\.php$", '"\\\\.php$"', id="backslash"),
        pytest.param('say "x"\n', '"say \\"x\\"\\n"', id="quotes and line feed"),
        pytest.param("/srv/Übung", '"/srv/Übung"', id="beyond ASCII"),
    ],
)
def test_a_word_is_quoted_only_where_it_must_be(word: str, written: str):
    assert quote(word) == written


@given(st.lists(st.binary(max_size=30), min_size=1, max_size=4))
def test_nginx_reads_back_what_was_meant(raw: list[bytes]):
    words = tuple(each.decode("utf-8", "surrogateescape") for each in raw)
    # Names are free only inside a map; elsewhere a strange blank is refused.
    data = b"map $a $b {" + statement(words).encode("utf-8", "surrogateescape") + b"}"

    (block,) = scan(data, PATH)

    assert block.block is not None
    assert [each.words for each in block.block.children] == [words]


@given(st.lists(st.binary(min_size=1, max_size=30), min_size=1, max_size=3))
def test_the_second_reader_reads_it_too(raw: list[bytes]):
    words = ("name", *(each.decode("utf-8", "surrogateescape") for each in raw))

    assert disagreement(statement(words).encode("utf-8", "surrogateescape"), PATH) is None


def test_a_word_longer_than_nginx_reads_is_refused():
    quote("x" * LONGEST_QUOTED)
    with pytest.raises(UsageProblem, match="too long"):
        quote("x" * (LONGEST_QUOTED + 1))
    with pytest.raises(UsageProblem, match="too long"):
        quote("ü" * LONGEST_QUOTED)
