"""Reading one file: httpd's rules, spans, and reasons for every refusal."""

from __future__ import annotations

import random
import re
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from staplecfg.model.errors import NotUnderstood
from staplecfg.servers.apache.compare import disagreement
from staplecfg.servers.apache.scan import DEEPEST, last_line, scan, walk
from tests.support.apache_syntax import configtest, structure_problem

PATH = PurePosixPath("/etc/apache2/apache2.conf")


def words(data: bytes):
    return [directive.words for directive in walk(scan(data, PATH))]


def problem(data: bytes) -> NotUnderstood:
    with pytest.raises(NotUnderstood) as caught:
        scan(data, PATH)
    return caught.value


def test_an_empty_file_has_no_directives():
    assert scan(b"", PATH) == ()
    assert scan(b"# only\n\n", PATH) == ()


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(b"A b c", [("A", "b", "c")], id="words"),
        pytest.param(b"sslengine ON", [("SSLEngine", "ON")], id="a known name in any case"),
        pytest.param(b"fooBar x", [("fooBar", "x")], id="an unknown one as written"),
        pytest.param(b"\xe2\x84\xaa x", [("\u212a", "x")], id="the Kelvin sign is no k"),
        pytest.param(b'"SSLEngine" on', [("SSLEngine", "on")], id="quoted name"),
        pytest.param(b"SSLEngine> on", [("SSLEngine", "on")], id="bracket behind a name"),
        pytest.param(b"<A b>\nC\n</A>", [("A", "b"), ("C",)], id="section"),
        pytest.param(b"<A b c> d > e\n</A>", [("A", "b", "c>", "d")], id="up to the last bracket"),
        pytest.param(b"<A>\n</A>", [("A",)], id="section without arguments"),
        pytest.param(b"<A >\n</A>", [("A",)], id="blank before the bracket"),
        pytest.param(b"<A\n</A>", [("A",)], id="no bracket, no arguments"),
        pytest.param(b"<A>b>\n</A>b>", [("A>b",)], id="bracket inside a name"),
        pytest.param(b"<a>\n</A> d", [("a",)], id="text behind an end tag is nothing"),
        pytest.param(b"<virtualhost x>\n</VIRTUALHOST>", [("VirtualHost", "x")], id="odd case"),
        pytest.param(b"<A 'b>c' d>\n</A>", [("A", "b>c", "d")], id="bracket in quotes"),
        pytest.param(b"<A\tb\\\n c>\n</A>", [("A", "b", "c")], id="continued opening"),
        pytest.param(b"<A>\n</\\\nA>", [("A",)], id="continued end tag"),
        pytest.param(b"A \xff", [("A", "\udcff")], id="bytes that are no UTF-8"),
        pytest.param(b"A b\r\n<C>\r\n</C>\r\n", [("A", "b"), ("C",)], id="CRLF"),
        pytest.param(b"Se\\\nrverName a", [("ServerName", "a")], id="continued name"),
    ],
)
def test_words_are_what_httpd_reads(data: bytes, expected: list[tuple[str, ...]]):
    assert words(data) == expected
    assert disagreement(data, PATH) is None


def test_spans_cover_the_directive_and_nothing_else():
    data = b"# head\n \tA b \\\n  c \n<B d \\\n e>\n  <c>\n\tD e\n  </C> x\n</B>\nE"

    first, section, last = scan(data, PATH)

    assert data[first.span.start : first.span.end] == b"A b \\\n  c "
    assert section.block is not None
    assert data[section.span.start : section.block.inside.start] == b"<B d \\\n e>"
    assert data[section.block.inside.end : section.span.end] == b"</B>"
    (inner,) = section.block.children
    assert data[inner.span.start : inner.span.end] == b"<c>\n\tD e\n  </C>"
    assert data[last.span.start : last.span.end] == b"E"


def test_a_line_is_that_of_the_first_byte_and_httpd_s_own_the_last_one():
    data = b"\\\nA \\\n b\n<C \\\n d>\nE\n</C>\nF \\\n"

    found = [(each.name, each.line, last_line(data, each)) for each in walk(scan(data, PATH))]

    assert found == [("A", 2, 3), ("C", 4, 5), ("E", 6, 6), ("F", 8, 9)]


@pytest.mark.parametrize(
    ("data", "line", "said"),
    [
        pytest.param(b"A\n</B>", 2, "no section is open", id="end without a beginning"),
        pytest.param(b"<A>\n<B>\n</A>\n</B>", 3, "stands where </B> is due", id="crossed"),
        pytest.param(b"A\n<B>\nC\n", 2, "never closed", id="left open"),
        pytest.param(b"A\n<B c\n</B>", 2, "no closing >", id="bracket missing"),
        pytest.param(b"A\n<B> c\n</B>", 2, "no closing >", id="bracket too early"),
        pytest.param(b"<B>\n</B >", 2, "stands where", id="blank inside an end tag"),
        pytest.param(b"<B>\n</B", 2, "stands where", id="bracket missing at the end"),
        pytest.param(b"<IfModule a>\nB\n</IfModule> c", 3, "does not take", id="text behind If"),
        pytest.param(b"<ifmodule a>\n</ifmodule> #", 2, "does not take", id="comment behind If"),
        pytest.param(b'<IfDefine a>\n"</IfDefine>"', 2, "does not take", id="quoted end of If"),
        pytest.param(b"A\n< b>\n</>", 2, "has no name", id="section without a name"),
        pytest.param(b'A\n"" b', 2, "empty name", id="empty name"),
        pytest.param(b"A\n> b", 2, "empty name", id="only a bracket"),
        pytest.param(b"\xef\xbb\xbfA", 1, "byte order mark", id="BOM"),
        pytest.param(b"A\n\xc2\xa0B c", 2, "takes for a letter", id="NBSP indentation"),
        pytest.param(b"A\nB\xc2\xa0c", 2, "takes for a letter", id="NBSP separator"),
        pytest.param(b"A\nB\xa0c", 2, "takes for a letter", id="NBSP of Latin-1"),
        pytest.param(b"A\n=pod\nB\n=cut", 2, "mod_perl", id="POD"),
        pytest.param(b"A\n__END__\nB", 2, "mod_perl", id="the end for mod_perl"),
        pytest.param(b"<Macro a>\nB \\ \n</Macro>", 2, "joins this line", id="joined by Use"),
        pytest.param(b"<Perl>\nprint 1;\n", 1, "never closed", id="Perl without an end"),
    ],
)
def test_what_is_refused_is_refused_with_its_line_and_advice(data: bytes, line: int, said: str):
    error = problem(data)

    assert said in error.problem
    assert error.at is not None
    assert (error.at.path, error.at.line) == (PATH, line)
    assert error.hint


def test_nesting_to_the_limit_is_read_and_one_deeper_refused():
    def nested(depth: int) -> bytes:
        return b"<A>\n" * depth + b"</A>\n" * depth

    assert len(words(nested(DEEPEST))) == DEEPEST
    assert "inside one another" in problem(nested(DEEPEST + 1)).problem
    assert "inside one another" in problem(nested(50_000)).problem


@pytest.mark.parametrize("name", [b"Perl", b"LuaHookFixups", b"luaquickhandler"])
def test_another_language_is_opaque_up_to_its_end_tag(name: bytes):
    data = b"<%s>\nif (a <b> c) {\n</Foo>\n'\n}\n </%s>\nA b\n" % (name, name.upper())

    section, after = scan(data, PATH)

    assert section.block is not None
    assert section.block.opaque
    assert section.block.children == ()
    assert after.words == ("A", "b")
    assert disagreement(data, PATH) is None


PIECES = [
    *(bytes((each,)) for each in b" \t\r\n\v\\\"'#<>/aB\xff"),
    *(
        b"\\\n",
        b"\\\r\n",
        b"\\\\\n\n",
        b"\n<A>\n",
        b"\n</A>\n",
        b"\n<b c>\n",
        b"\n</B>",
        b"\nC d\n",
    ),
    *(b"\n<IfModule x>\n", b"\n</IfModule>", b"\n# c"),
]
BYTES = st.lists(st.sampled_from(PIECES), max_size=30).map(b"".join)


def refusal(data: bytes) -> NotUnderstood | None:
    try:
        scan(data, PATH)
    except NotUnderstood as error:
        return error
    return None


@given(BYTES)
def test_both_readers_read_the_same_and_every_refusal_has_a_place_and_advice(data: bytes):
    refused = refusal(data)

    if refused is None:
        assert disagreement(data, PATH) is None
    else:
        assert refused.at is not None
        assert refused.at.line is not None
        assert 1 <= refused.at.line <= data.count(b"\n") + 1
        assert refused.hint


# What follows `ServerAlias x` up to the end of its line, or of lines that are joined.
REST = [
    *(bytes((each,)) for each in b" \t\v\"'#<>\\ab"),
    *(b"\\\n", b"\\\r\n", b"\\ ", b'\\"', b"\\'", b"\\\\", b"\xc3\xa9", b"\\\\\n\n"),
]
_NAMED = re.compile(rb"namevhost v(\d+) \(.*:(\d+)\)\n((?: +(?:wild )?alias .*\n)*)")
_ALIAS = re.compile(rb" +(?:wild )?alias (.*)\n")


@pytest.mark.system
def test_httpd_itself_finds_the_same_words_on_the_same_lines(tmp_path: Path):
    pick = random.Random(2046)
    blocks = [
        b"%s<VirtualHost *:80%s>\nServerName v%d\nServerAlias x %s\nServerPath /\n</VirtualHost>\n"
        % (
            pick.choice([b"", b"\n", b"# \\\n\n", b"\\\n\n", b"# a\\\\\n\n\n"]),
            pick.choice([b"", b" ", b" \\\n", b"\\\r\n *:80"]),
            number,
            b"".join(pick.choices(REST, k=pick.randint(0, 12))),
        )
        for number in range(1500)
    ]
    # `ServerPath /` may be joined into the aliases by a backslash: so be it, for both.
    data = b"Listen 127.0.0.1:1\n" + b"".join(blocks)

    said = configtest(data, tmp_path, "-D", "DUMP_VHOSTS")

    assert said.returncode == 0, said.stderr
    theirs = {}
    for found in _NAMED.finditer(said.stdout):
        theirs[int(found[1])] = (int(found[2]), _ALIAS.findall(found[3]))
    ours = {}
    for block in scan(data, PATH):
        if block.block is None:
            continue
        name, alias = block.block.children[:2]
        raw = [arg.encode("utf-8", "surrogateescape") for arg in alias.args]
        ours[int(name.args[0][1:])] = (last_line(data, block), raw)
    assert len(ours) == 1500
    assert theirs == ours


@pytest.mark.system
@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"<Location />\n</Location> x\n", id="text behind an end tag"),
        pytest.param(b'<Location />\n"</LOCATION>"\n', id="quoted end tag"),
        pytest.param(b"<Location />\n</Location >\n", id="blank inside an end tag"),
        pytest.param(b"<Location />\n</Loc\\\nation>\n", id="continued end tag"),
        pytest.param(b"<IfModule core.c>\n</IfModule> x\n", id="text behind the end of a true If"),
        pytest.param(b"<IfModule core.c>\n</ifmodule>\n", id="end of If in another case"),
        pytest.param(b"<IfModule core.c>\n'</IfModule>'\n", id="quoted end of a true If"),
        pytest.param(b"<Location />\n", id="left open"),
        pytest.param(b"<Location />\n<Files a>\n</Location>\n</Files>\n", id="crossed"),
        pytest.param(b"<IfModule core.c>\n<Files a>\n</IfModule>\n</Files>\n", id="crossed If"),
        pytest.param(b"<RequireAll\n</RequireAll>\n", id="no bracket, no arguments"),
        pytest.param(b"</Files>\n", id="end without a beginning"),
        pytest.param(b"# <Files a> \\\n</Files>\n", id="end in a joined comment"),
        pytest.param(b"<Files a>\n# \\\n</Files>\n", id="the end is in a comment"),
    ],
)
def test_what_httpd_says_of_sections_we_say(data: bytes, tmp_path: Path):
    assert (refusal(data) is None) == (structure_problem(data, tmp_path) is None)
