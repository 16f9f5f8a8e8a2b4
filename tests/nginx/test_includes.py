"""Every file nginx reads, by whatever name, and the trouble on the way."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from staplecfg.model.errors import NotUnderstood, Unreadable
from staplecfg.model.finding import Severity
from staplecfg.model.source import Location
from tests.support.nginx_trees import MAIN, read

SERVER = "server { listen 443 ssl; ssl_certificate a.pem; ssl_certificate_key a.key; }\n"


def at(name: str, line: int) -> Location:
    return Location(PurePosixPath("/etc/nginx") / name, line)


def test_a_relative_include_is_relative_to_the_main_file_from_everywhere():
    found = read(
        {
            "nginx.conf": "http { include sub/one.conf; }",
            "sub/one.conf": "include two.conf;",
            "two.conf": SERVER,
            "sub/two.conf": "broken",
        }
    )

    assert [site.file for site in found.sites] == [PurePosixPath("/etc/nginx/two.conf")]
    assert found.patterns == ("/etc/nginx/sub/one.conf", "/etc/nginx/two.conf")
    assert found.findings == ()


def test_a_pattern_without_a_match_is_fine_and_a_name_without_a_file_is_not():
    found = read({"nginx.conf": "http {\n include conf.d/*.conf;\n include gone.conf;\n}"})

    (finding,) = found.findings
    assert (finding.rule, finding.severity) == ("include-unreadable", Severity.ERROR)
    assert finding.location == at("nginx.conf", 3)
    assert "gone.conf" in finding.problem
    assert finding.hint


def test_a_directory_and_a_dangling_link_in_a_pattern_are_trouble_as_for_nginx():
    found = read(
        {"nginx.conf": "http { include d/*; }", "d/sub/x": "", "d/z.conf": SERVER},
        {"/etc/nginx/d/link": "/nowhere"},
    )

    assert [finding.problem.split()[1] for finding in found.findings] == [
        "/etc/nginx/d/link,",
        "/etc/nginx/d/sub,",
    ]
    assert len(found.sites) == 1


def test_a_broken_included_file_is_refused_and_the_rest_is_read():
    found = read(
        {
            "nginx.conf": "http { include conf.d/*; }",
            "conf.d/a": "server {\n listen 443 ssl\n}",
            "conf.d/b": SERVER,
        }
    )

    broken = found.files[PurePosixPath("/etc/nginx/conf.d/a")]
    assert broken.refusal is not None
    assert broken.refusal.location == at("conf.d/a", 2)
    assert broken.directives == ()
    assert found.findings == (broken.refusal,)
    assert len(found.sites) == 1


@pytest.mark.parametrize(
    ("files", "error"),
    [
        pytest.param({}, Unreadable, id="missing"),
        pytest.param({"nginx.conf": "http {"}, NotUnderstood, id="broken"),
    ],
)
def test_an_unusable_main_file_raises(files: dict[str, str], error: type[Exception]):
    with pytest.raises(error):
        read(files)


def test_one_file_of_two_names_is_one_source_file():
    found = read(
        {
            "nginx.conf": "http {\n include sites-enabled/*;\n include sites-available/a;\n}",
            "sites-available/a": SERVER,
        },
        {"/etc/nginx/sites-enabled/a": "../sites-available/a"},
    )

    real = PurePosixPath("/etc/nginx/sites-available/a")
    assert set(found.files) == {PurePosixPath(MAIN), real}
    assert found.files[real].path == PurePosixPath("/etc/nginx/sites-enabled/a")
    assert found.files[real].included_by == (at("nginx.conf", 2), at("nginx.conf", 3))
    (site,) = found.sites
    assert site.location == at("sites-enabled/a", 1)
    assert site.file == real


def test_a_circle_of_includes_is_found_and_not_followed():
    found = read(
        {
            "nginx.conf": "http { include a; " + SERVER + "}",
            "a": "include b;\n",
            "b": "\ninclude a;\ninclude b;",
        }
    )

    assert [(each.rule, each.location) for each in found.findings] == [
        ("include-cycle", at("b", 2)),
        ("include-cycle", at("b", 3)),
    ]
    assert len(found.sites) == 1


def test_a_file_included_twice_without_a_circle_is_no_circle():
    found = read(
        {"nginx.conf": "include a; include b;", "a": "include c;", "b": "include c;", "c": ""}
    )

    assert found.findings == ()


def test_a_long_chain_of_includes_is_no_trouble():
    files = {f"f{number}": f"include f{number + 1};" for number in range(3000)}

    found = read({"nginx.conf": "http { include f0; }", **files, "f3000": SERVER})

    assert len(found.sites) == 1


def test_an_include_deep_in_a_location_is_read_too():
    found = read(
        {
            "nginx.conf": "http { map $a $b { include m; }"
            " server { location / { if ($a) { include x; } } } }",
            "x": "",
            "m": "a b;",
        }
    )

    assert {str(path) for path in found.files} == {MAIN, "/etc/nginx/x", "/etc/nginx/m"}


@pytest.mark.parametrize("text", ["include;", "include a b;"])
def test_an_include_takes_one_path(text: str):
    (finding,) = read({"nginx.conf": text, "a": "", "b": ""}).findings

    assert "exactly one" in finding.problem
