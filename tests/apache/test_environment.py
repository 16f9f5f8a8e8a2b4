"""What Apache is started with, read from the distribution's files; a shell is the judge."""

from __future__ import annotations

import subprocess
from pathlib import PurePosixPath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from staplecfg.model.filesystem import MemoryFilesystem
from staplecfg.servers.apache.environment import Environment, environment
from staplecfg.servers.apache.shell import variables
from tests.support.apache_stock import TREE

CONFIG = PurePosixPath("/srv/web/conf/httpd.conf")
PREFIX = PurePosixPath("/srv/web")


def read(text: str) -> Environment:
    files = MemoryFilesystem.of({"/srv/web/conf/envvars": text.encode()})
    return environment(files, CONFIG, PREFIX)


def by_shell(text: str, given: dict[str, str]) -> dict[str, str]:
    """Return what a real shell exports when it reads `text`."""
    said = subprocess.run(
        ["/bin/sh", "-c", f"{text}\nenv -0"], env=given, capture_output=True, check=True
    ).stdout.decode()
    found = dict(pair.split("=", 1) for pair in said.split("\0") if pair)
    return {name: value for name, value in found.items() if name not in {*given, "PWD", "_"}}


@pytest.mark.parametrize(
    "files",
    [
        pytest.param({}, id="no file at all"),
        pytest.param({"/etc/sysconfig/httpd": b"OPTIONS=-DX\n"}, id="another layout's file"),
        pytest.param({"/srv/web/conf/envvars": b""}, id="an empty file"),
        pytest.param({"/srv/web/conf/envvars": b"# export A=1\n\n  \n"}, id="comments"),
        pytest.param({"/srv/web/conf/envvars": b"A=1\n"}, id="a variable that is not exported"),
    ],
)
def test_nothing_is_set_where_nothing_says_so(files: dict[str, bytes]):
    assert environment(MemoryFilesystem.of(files), CONFIG, PREFIX) == Environment()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("export A=1", {"A": "1"}, id="at once"),
        pytest.param("A=1\nexport A", {"A": "1"}, id="afterwards"),
        pytest.param("export A\nA=1", {"A": "1"}, id="before"),
        pytest.param("export A=1 B=2; export C=3", {"A": "1", "B": "2", "C": "3"}, id="several"),
        pytest.param("export A=1\nunset A", {}, id="taken back"),
        pytest.param("X=/run\nexport A=$X/a B=${X}b", {"A": "/run/a", "B": "/runb"}, id="expanded"),
        pytest.param("export A='$X'\"b c\"\\ d", {"A": "$Xb c d"}, id="quotes"),
        pytest.param('X=1\nexport A="\\$X\\a$X"', {"A": "$X\\a1"}, id="escapes in quotes"),
        pytest.param("export A=${X:-y} B=${X-}z", {"A": "y", "B": "z"}, id="defaults"),
        pytest.param("X=\nexport A=${X:-y} B=${X-y}", {"A": "y", "B": ""}, id="empty is not unset"),
        pytest.param("X=1\nexport A=${X:+y} B=${Z:+y}", {"A": "y", "B": ""}, id="alternative"),
        pytest.param("X=/a/b\nexport A=${X##/a} B=${X%/b}", {"A": "/b", "B": "/a"}, id="cut"),
        pytest.param("export A=1 # why", {"A": "1"}, id="a comment behind"),
        pytest.param("export A=a#b", {"A": "a#b"}, id="a hash in a word"),
        pytest.param(
            'X=1\nif [ "$X" = 1 ]; then\nexport A=yes\nelse\nexport A=no\nfi',
            {"A": "yes"},
            id="a condition that holds",
        ),
        pytest.param(
            'if [ -n "${X-}" ] ; then\nexport A=yes\nelse\nexport A=no\nfi',
            {"A": "no"},
            id="a condition that does not",
        ),
        pytest.param(
            'if [ "a" != "a" ]; then\nif [ "b" = "b" ]; then\nexport A=1\nfi\nfi\nexport B=2',
            {"B": "2"},
            id="one within another",
        ),
    ],
)
def test_lines_mean_what_they_mean_to_a_shell(text: str, expected: dict[str, str]):
    assert read(text) == Environment(variables=expected)
    assert by_shell(text, {}) == expected


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param("export B=1\n. /etc/default/locale", 2, id="another file"),
        pytest.param("export A=$(hostname)\nexport B=1", 1, id="a command's output"),
        pytest.param("export A=`hostname`\nexport B=1", 1, id="backquotes"),
        pytest.param('export A="a\nexport B=1', 1, id="a quote that goes on"),
        pytest.param("export A=1 && export A=2\nexport B=1", 1, id="a list"),
        pytest.param("export A=${X:=1}\nexport B=1", 1, id="another expansion"),
        pytest.param("export A=$NOWHERE\nexport B=1", 1, id="a variable of somebody else's"),
        pytest.param("export B=1\nif [ -f /etc/x ]; then\nfi", 2, id="a test of files"),
        pytest.param("export B=1\nexport A=~/x", 2, id="a home directory"),
    ],
)
def test_what_only_a_shell_can_say_is_noted_with_its_line(text: str, line: int):
    found = read(text)

    assert found.variables == {"B": "1"}
    assert found.findings[0].location.line == line
    assert found.findings[0].hint


def test_what_hangs_on_a_condition_nobody_understood_is_unknown():
    found = read("export A=1\nif [ -f /etc/x ]; then\nexport A=2\nelse\nexport A=3\nfi\n")

    assert "A" not in found.variables
    assert [each.location.line for each in found.findings] == [2, 3, 5]


def test_an_if_that_is_never_closed_is_noted():
    assert [each.location.line for each in read("if [ a = a ]\nthen\nexport A=1\n").findings] == [3]


@pytest.mark.parametrize("directory", ["/etc/apache2", "/etc/apache2-second"])
def test_debians_own_file_is_read_as_its_apachectl_does(directory: str):
    text = (TREE / "envvars").read_text(encoding="utf-8")
    config = PurePosixPath(directory, "apache2.conf")

    found = environment(
        MemoryFilesystem.of({f"{directory}/envvars": text.encode()}), config, config.parent
    )

    assert found.variables == by_shell(text, {"APACHE_CONFDIR": directory})
    assert found.findings == ()


@pytest.mark.parametrize(
    ("config", "prefix", "files", "defines"),
    [
        pytest.param(
            "/etc/apache2/apache2.conf",
            "/etc/apache2",
            {"/etc/apache2/envvars": "export APACHE_ARGUMENTS='-D Beta -DGamma=2'\n"},
            ("Beta", "Gamma=2"),
            id="Debian",
        ),
        pytest.param(
            "/etc/httpd/conf/httpd.conf",
            "/etc/httpd",
            {"/etc/sysconfig/httpd": 'OPTIONS="-D Beta -DFOREGROUND"\nLANG=C\n'},
            ("Beta",),
            id="Red Hat",
        ),
        pytest.param(
            "/etc/apache2/httpd.conf",
            "/usr/lib64/apache2",
            {"/etc/conf.d/apache2": 'APACHE2_OPTS="-D SSL -D DEFAULT_VHOST"\n'},
            ("SSL", "DEFAULT_VHOST"),
            id="Gentoo",
        ),
    ],
)
def test_each_distribution_has_its_place_for_arguments(
    config: str, prefix: str, files: dict[str, str], defines: tuple[str, ...]
):
    disk = MemoryFilesystem.of({path: text.encode() for path, text in files.items()})

    found = environment(disk, PurePosixPath(config), PurePosixPath(prefix))

    assert found.defines == defines
    assert found.findings == ()


def test_variables_of_systemds_file_all_reach_the_service():
    disk = MemoryFilesystem.of({"/etc/sysconfig/httpd": b"LANG=C\nOPTIONS=\n"})

    found = environment(
        disk, PurePosixPath("/etc/httpd/conf/httpd.conf"), PurePosixPath("/etc/httpd")
    )

    assert found.variables == {"LANG": "C"}


@pytest.mark.parametrize("arguments", ["-f other.conf", "-d /srv", "-C 'Listen 1'", "-c Listen=1"])
def test_arguments_that_change_what_is_read_are_said(arguments: str):
    found = read(f'export APACHE_ARGUMENTS="{arguments}"')

    assert [each.location.path.name for each in found.findings] == ["envvars"]


def test_another_file_can_be_named():
    disk = MemoryFilesystem.of(
        {"/srv/web/conf/envvars": b"export A=1\n", "/etc/other": b"export A=2\n"}
    )

    found = environment(disk, CONFIG, PREFIX, PurePosixPath("/etc/other"))

    assert found.variables == {"A": "2"}


def test_a_named_file_that_is_not_there_is_said():
    found = environment(MemoryFilesystem({}), CONFIG, PREFIX, PurePosixPath("/etc/other"))

    assert [str(each.location) for each in found.findings] == ["/etc/other"]


NAMES = st.sampled_from(["A", "B", "C_1"])
PIECES = st.sampled_from(
    [
        "x",
        "/",
        "'a b'",
        '"c $A"',
        '"d"',
        "\\$",
        "\\ ",
        "$B",
        "${A}",
        "${B:-w}",
        "${C_1##x}",
        "=",
        "#",
    ]
)
VALUES = st.lists(PIECES, max_size=4).map("".join)
LINES = st.one_of(
    st.builds("{}={}".format, NAMES, VALUES),
    st.builds("export {}={}".format, NAMES, VALUES),
    st.builds("export {}".format, NAMES),
    st.builds("{}={} # {}".format, NAMES, VALUES, VALUES),
    st.builds(
        'if [ "${{{}}}" {} "{}" ]; then\n:'.format, NAMES, st.sampled_from(["=", "!="]), PIECES
    ),
)


@settings(max_examples=60)
@given(st.lists(LINES, max_size=6))
def test_whatever_is_read_without_a_note_is_what_a_shell_makes_of_it(lines: list[str]):
    opened = sum(line.startswith("if ") for line in lines)
    known = {"A": "1", "B": "2", "C_1": "x3"}
    text = "\n".join([*lines, *["fi"] * opened])

    found = variables(text, known)

    if not found.odd:
        defined = "\n".join(f"{name}={value}" for name, value in known.items())
        assert dict(found.exported) == by_shell(f"{defined}\n{text}", {})
