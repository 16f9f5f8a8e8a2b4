"""Templates: what they come to, and what they may not do."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from staplecfg.model.errors import NotUnderstood
from staplecfg.model.templates import Template, Templates
from staplecfg.planning import render
from staplecfg.planning.template_syntax import quoted
from staplecfg.servers.nginx.dialect import DIALECT
from tests.support.planned import shipped

PATH = PurePosixPath("/etc/staplecfg/templates/nginx/file/site.conf.j2")
NAME = "nginx/file/site.conf.j2"
VARIABLES = {"path": "/a b/c", "names": ["a", "b"], "none": None, "text": "x" * 5000}


def words(text: str) -> tuple[tuple[str, ...], ...]:
    templates = Templates({NAME: Template(PATH, text)})
    return render.words(templates, NAME, VARIABLES, DIALECT)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", (), id="nothing"),
        pytest.param("{# a; #}\n# b;\n", (), id="comments"),
        pytest.param("ssl_stapling on;", (("ssl_stapling", "on"),), id="a directive"),
        pytest.param("a {{ path | quoted }};", (("a", "/a b/c"),), id="a value quoted"),
        pytest.param("a {{ names | join }};", (("a", "a", "b"),), id="a list"),
        pytest.param("{% for n in names %}\na {{ n }};\n{% endfor %}", (("a", "a"), ("a", "b"))),
        pytest.param("{% if none %}a 1;{% else %}a 2;{% endif %}", (("a", "2"),), id="a choice"),
        pytest.param("a;\r\nb;\r\n", (("a",), ("b",)), id="carriage returns"),
        pytest.param("a '{{ '{{' }}';", (("a", "{{"),), id="braces"),
    ],
)
def test_a_template_comes_to_directives(text, expected):
    assert words(text) == expected


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        pytest.param("a;\n{% if %}", 2, "expression", id="syntax"),
        pytest.param("a;\n\nb {{ nope }};", 3, "'nope' is undefined", id="an unknown variable"),
        pytest.param("a;\nb {{ path.nope }};", 2, "no attribute 'nope'", id="an unknown member"),
        pytest.param("a;\nb {{ path | nope }};", 2, "No filter named 'nope'", id="a filter"),
        pytest.param("{#\n\n#}\na;\nb }\n", 5, "no configuration", id="no directive"),
        pytest.param("{% if path %}\na;\n{% endif %}\nb\n", 4, "no configuration", id="no end"),
        pytest.param("a;\n\nlocation / {\n}\n", 3, "opens a block", id="a block"),
        pytest.param("a;\n{{ path.__class__ }}", 2, "unsafe", id="an inner name"),
        pytest.param("\n{{ range(9) }}", 2, "`call`", id="a call"),
        pytest.param("\n{% set x = 1 %}", 2, "`assign`", id="an assignment"),
        pytest.param("\n{% include '/etc/passwd' %}", 2, "`include`", id="an include"),
        pytest.param("\n{% import 'x' as x %}", 2, "`import`", id="an import"),
        pytest.param("\n{% macro m() %}{% endmacro %}", 2, "`macro`", id="a macro"),
        pytest.param("\n{{ 'a' * 999999999 }}", 2, "`mul`", id="a product"),
        pytest.param("\n{{ 9 ** 9 }}", 2, "`pow`", id="a power"),
        pytest.param("\n{{ '%9999999d' % 1 }}", 2, "`mod`", id="a format"),
        pytest.param(
            "\n{% for a in text %}{% for b in text %}{% endfor %}{% endfor %}",
            2,
            "a loop within a loop",
            id="a loop within a loop",
        ),
        pytest.param("{% for a in text %}{{ text }}{% endfor %}", None, "more than", id="too much"),
        pytest.param("{{ " + "(" * 5000 + ")" * 5000 + " }}", None, "too deeply", id="too deep"),
        pytest.param("a \x00;", None, "NUL", id="a NUL"),
        pytest.param("\n{{ path | join }}", 2, "only a list", id="a list that is none"),
    ],
)
def test_a_template_that_is_wrong_says_where(text, line, problem):
    with pytest.raises(NotUnderstood) as caught:
        words(text)

    assert caught.value.at is not None
    assert (caught.value.at.path, caught.value.at.line) == (PATH, line)
    assert problem in caught.value.problem


def test_a_template_that_is_not_there_is_named():
    with pytest.raises(NotUnderstood) as caught:
        render.words(Templates({}), NAME, {}, DIALECT)

    assert str(caught.value.at) == NAME


@pytest.mark.parametrize(
    "word",
    ["/a/b", "a b", 'a"b', "a\\b", "a;b", "a{b", "$x", "", "a'b", "#x", "\u00e9", "\udcff"],
)
def test_a_quoted_word_is_read_as_it_was(word):
    text = f"a {quoted(word)};".encode("utf-8", "surrogateescape")

    (directive,) = DIALECT.parse(text, PATH)

    assert directive.args == (word,)


def test_the_shipped_snippet_names_the_staple_and_no_more():
    staple = "/var/lib/staplecfg/nginx/staples/a b.der"

    found = render.words(shipped(), "nginx/file/state.conf.j2", {"staple": staple}, DIALECT)

    assert found == (("ssl_stapling_file", staple),)


def test_the_shipped_snippet_withdraws_an_inherited_file_too():
    found = render.words(shipped(), "nginx/file/state.conf.j2", {"staple": None}, DIALECT)

    assert found == (
        ("ssl_stapling_file", ""),
        ("ssl_stapling_responder", "http://127.0.0.1:1/"),
    )
