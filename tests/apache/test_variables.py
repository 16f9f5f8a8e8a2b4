"""`${NAME}`: what was defined, else what the environment has, else the text itself."""

from __future__ import annotations

import pytest

from staplecfg.servers.apache.variables import Variables
from tests.support.apache_trees import read


def variables(**values: str) -> Variables:
    made = Variables.of({"env:HOME": "/root", "env:OF_ENV": "outside", "defines": "SSL A=1"})
    for name, value in values.items():
        made.define(name, value)
    return made


@pytest.mark.parametrize(
    "line",
    [b"", b"plain", b"$NAME", b"${NAME", b"$ {NAME}", b"${}", b"${nothing}", b"${home}", b"\xff$"],
)
def test_what_stands_for_nothing_stays(line):
    assert variables().expand(line) == line


@pytest.mark.parametrize(
    ("line", "expanded"),
    [
        (b"${NAME}", b"value"),
        (b"a${name}b${Name}c", b"avaluebvaluec"),
        (b"${HOME}/x", b"/root/x"),
        (b"${OF_ENV}", b"inside"),
        (b"${nothing} ${NAME}", b"${nothing} value"),
        (b"${a b}", b"with blanks"),
        (b"${RECURSIVE}", b"${NAME}"),
        (b"${${NAME}}", b"${${NAME}}"),
    ],
)
def test_what_is_defined_is_put_in_once(line, expanded):
    given = {"a b": "with blanks", "RECURSIVE": "${NAME}"}

    assert variables(NAME="value", OF_ENV="inside", **given).expand(line) == expanded


def test_undefining_brings_the_environment_back():
    made = variables(HOME="/here")

    made.undefine("home")

    assert made.expand(b"${HOME}") == b"/root"
    assert "HOME" in made.flags


def test_flags_are_those_of_the_command_line_as_written():
    assert variables().flags == {"SSL", "A=1"}
    assert variables().expand(b"${A}") == b"${A}"


def test_bytes_that_are_no_text_survive():
    made = variables()
    made.define("PATH", b"\xff".decode("utf-8", "surrogateescape"))

    assert made.expand(b"\xfe${path}") == b"\xfe\xff"


def test_a_setting_has_its_variables_put_in_and_its_place_kept():
    found = read("Define dir /srv\nSSLStaplingCache shmcb:${dir}/cache\n")

    (setting,) = found.globals["SSLStaplingCache"]
    assert setting.args == ("shmcb:/srv/cache",)
    assert (setting.directive.line, setting.directive.span.start) == (2, 16)
