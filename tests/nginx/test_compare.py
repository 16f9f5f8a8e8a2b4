"""Two readers of one file: where they only differ in manner, and where in substance."""

from __future__ import annotations

import sys
from pathlib import PurePosixPath

import crossplane
import pytest

from staplecfg.model.errors import NotUnderstood
from staplecfg.servers.nginx.compare import disagreement
from staplecfg.servers.nginx.scan import DEEPEST

PATH = PurePosixPath("/etc/nginx/x.conf")


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"a b c;\nd { e; }", id="plain"),
        pytest.param(b"a 'b\\'c' \"d\\\"e\" 'f\"g' h\\\"i;", id="escaped quotes"),
        pytest.param(b"a \"\\t\\n\\r\\\\\" \\. 'b\\$c';", id="escapes"),
        pytest.param(b"if ($a = 'b') { c; }", id="if with a quoted end"),
        pytest.param(b"if ( $a ) { c; }", id="if with blanks"),
        pytest.param(b"a b # c\n  d # e;\n f;\ng;", id="comments between words"),
        pytest.param(b"map $a $b { '#' 1; \"#c\" 2; }", id="names that look like comments"),
        pytest.param(b"a; # the end", id="comment without a line feed"),
        pytest.param(b"a;\r\n# b\r\nc 'd\r\ne';\r\n", id="CRLF"),
        pytest.param(b"# a\r b;\nc;", id="lone CR in a comment"),
        pytest.param(b"a \xff 'b\xfe';", id="no UTF-8"),
        pytest.param(b"a \"${b} c\" '${d}';", id="quoted braced variables"),
        pytest.param(b"a ${b};", id="braced variable, then a mark"),
        pytest.param(b'content_by_lua_block { x = "}" -- }\n }\na;', id="Lua"),
        pytest.param(b"set_by_lua_block $x { return '}' }\na;", id="Lua with a word"),
        pytest.param(b"exit_worker_by_lua_block {\r\n x = '}'\r\n}", id="Lua crossplane knows not"),
        pytest.param(b"brand_new_by_lua_block { x = '}' }", id="Lua nobody knows yet"),
        pytest.param(b"a {" * DEEPEST + b"}" * DEEPEST, id="deep"),
    ],
)
def test_a_different_manner_is_no_disagreement(data: bytes):
    assert disagreement(data, PATH) is None


@pytest.mark.parametrize(
    ("data", "line", "said"),
    [
        pytest.param(
            b"a;\ntry_files ${uri} /x;",
            2,
            'try_files "${uri}" /x',
            id="braced variable, then a word",
        ),
        pytest.param(b"a;\nb c}d;\ne {}", 2, "crossplane", id="brace inside a word"),
        pytest.param(b"a;\nb c\x0cd;", 2, "crossplane", id="form feed"),
        pytest.param(b"a;\nb \xe2\x80\xa8c;", 2, "crossplane", id="line separator"),
        pytest.param(b"a;\nb c\xc2\xa0d;", 2, "crossplane", id="NBSP inside a word"),
        pytest.param(
            b"a {\ncontent_by_lua_block { x = [[ } ]] }\n}", 3, "cannot read", id="long bracket"
        ),
    ],
)
def test_a_different_reading_is_found_with_its_line_and_both_readings(
    data: bytes, line: int, said: str
):
    finding = disagreement(data, PATH)

    assert finding is not None
    assert finding.rule == "readers-disagree"
    assert (finding.location.path, finding.location.line) == (PATH, line)
    assert said in finding.problem
    assert finding.hint


def test_what_we_cannot_read_is_no_question_of_agreement():
    with pytest.raises(NotUnderstood):
        disagreement(b"a {", PATH)


def test_no_file_is_opened():
    opened: list[str] = []

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        if event == "open" and watching:
            opened.append(str(arguments[0]))

    watching = False
    sys.addaudithook(watch)
    watching = True
    disagreement(b"include /etc/*; include /etc/passwd;", PATH)
    watching = False

    assert opened == []


def test_crossplane_itself_is_left_as_it_was(tmp_path):
    file = tmp_path / "x.conf"
    file.write_text("a b;\n")

    disagreement(b"c d;", PATH)

    payload = crossplane.parse(str(file), check_ctx=False, check_args=False)
    assert [each["directive"] for each in payload["config"][0]["parsed"]] == ["a"]


def test_the_pinned_crossplane_is_installed():
    assert crossplane.__version__ == "0.5.8"
