"""Every file httpd reads, by whatever name, and the trouble on the way."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from staplecfg.model.errors import NotUnderstood, Unreadable
from staplecfg.model.finding import Severity
from tests.support.apache_trees import MAIN, ROOT, at, read

HOST = "<VirtualHost *:443>\nSSLEngine on\nSSLCertificateFile a.pem\n</VirtualHost>\n"


def names(found) -> list[str]:
    return [str(file.relative_to(ROOT)) for file in found.files]


def test_an_include_is_relative_to_the_root_from_everywhere():
    found = read(
        {
            "apache2.conf": "Include sub/one.conf\n",
            "sub/one.conf": "Include two.conf\n",
            "two.conf": HOST,
            "sub/two.conf": "</Broken>\n",
        }
    )

    assert [site.file for site in found.sites] == [ROOT / "two.conf"]
    assert found.patterns == ("/etc/apache2/sub/one.conf", "/etc/apache2/two.conf")
    assert found.findings == ()


def test_the_server_root_that_holds_is_the_one_said_last():
    found = read(
        {
            "apache2.conf": "Include a\nServerRoot /srv\nInclude a\nInclude b\n",
            "a": "",
            "/srv/a": "ServerRoot /opt\n",
            "/opt/b": HOST,
        }
    )

    assert list(map(str, found.files)) == [MAIN, "/etc/apache2/a", "/srv/a", "/opt/b"]
    assert str(found.sites[0].certificates[0].path) == "/opt/a.pem"


def test_a_file_is_known_by_its_first_name_and_by_all_who_include_it():
    found = read(
        {
            "apache2.conf": "IncludeOptional enabled/*.conf\nInclude available/x\n",
            "available/x": HOST,
        },
        {"enabled/10.conf": "../available/x", "enabled/20.conf": "../available/x"},
    )

    source = found.files[ROOT / "available/x"]
    assert source.path == ROOT / "enabled/10.conf"
    assert source.included_by == (at(1), at(2))
    assert len(found.sites) == 3
    assert {site.file for site in found.sites} == {ROOT / "available/x"}


def test_the_main_file_has_no_includer_and_no_refusal():
    (source,) = read("Listen 443\n").files.values()

    assert (source.included_by, source.refusal, str(source.path)) == ((), None, MAIN)


def test_a_directory_is_included_with_all_that_lies_in_it():
    found = read(
        {"apache2.conf": "Include d\n", "d/b": "", "d/.a": "", "d/sub/x~": "", "d/sub/.git/c": ""}
    )

    assert names(found) == ["apache2.conf", "d/.a", "d/b", "d/sub/.git/c", "d/sub/x~"]


def test_a_linked_directory_in_a_directory_is_a_pattern_of_its_own():
    found = read({"apache2.conf": "Include d\n", "/srv/hosts/x": HOST}, {"d/hosts": "/srv/hosts"})

    assert found.patterns == ("/etc/apache2/d", "/etc/apache2/d/hosts")
    assert [str(site.file) for site in found.sites] == ["/srv/hosts/x"]


@pytest.mark.parametrize(
    "include",
    ["Include gone", "Include gone/*.conf", "Include d/*.conf", "Include a b", "Include"],
)
def test_an_include_that_leads_nowhere_is_an_error_and_nothing_is_edited(include):
    found = read({"apache2.conf": f"{HOST}{include}\n{HOST}", "d/x": ""})

    (finding,) = found.findings
    assert (finding.rule, finding.severity) == ("include-unreadable", Severity.ERROR)
    assert finding.location == at(5)
    assert finding.hint
    assert len(found.sites) == 2
    assert found.files[ROOT / "apache2.conf"].refusal == finding


@pytest.mark.parametrize(
    "include",
    ["IncludeOptional gone", "IncludeOptional gone/*", "IncludeOptional d/*.conf"],
)
def test_an_optional_include_may_lead_nowhere(include):
    found = read({"apache2.conf": f"{include}\n", "d/x": ""})

    assert found.findings == ()


def test_a_file_that_is_not_understood_could_say_anything():
    found = read({"apache2.conf": f"{HOST}Include bad\n", "bad": "Listen 1\n</VirtualHost>\n"})

    (finding,) = found.findings
    assert finding.rule == "file-not-understood"
    assert finding.location == at(2, "bad")
    assert [source.refusal for source in found.files.values()] == [finding, finding]
    assert len(found.sites) == 1


def test_files_that_include_each_other_are_a_circle_and_nothing_is_edited():
    found = read({"apache2.conf": "Include a\n", "a": "Include b\n", "b": f"Include a\n{HOST}"})

    (finding,) = found.findings
    assert finding.rule == "include-cycle"
    assert finding.location in {at(1, "a"), at(1, "b")}
    assert {source.refusal for source in found.files.values()} == {finding}


def test_a_circle_that_a_flag_breaks_is_none():
    found = read(
        {"apache2.conf": "Include a\n", "a": "<IfDefine !A>\nDefine A\nInclude a\n</IfDefine>\n"}
    )

    assert found.findings == ()


def test_sections_includes_and_macros_in_one_another_have_an_end():
    text = "<Location /a>\n" * 30 + "Include a\n" + "</Location>\n" * 30

    found = read({"apache2.conf": "Include a\n", "a": text})

    (finding,) = found.findings
    assert finding.rule == "nested-too-deep"


def test_the_main_file_must_be_readable_and_understood():
    with pytest.raises(Unreadable):
        read({"other": ""})
    with pytest.raises(NotUnderstood) as caught:
        read("Listen 1\n<VirtualHost *:443>\n")
    assert caught.value.at == at(2)
    assert caught.value.hint


def test_a_file_that_somebody_writes_anew_is_not_edited_unless_forced():
    files = {"apache2.conf": "Include a\n", "a": f"# Managed by Puppet\n{HOST}"}

    refusal = read(files).files[ROOT / "a"].refusal

    assert refusal is not None
    assert refusal.rule == "generated-file"
    assert read(files, force=True).files[ROOT / "a"].refusal is None


def test_the_same_trouble_is_told_once():
    files = {"apache2.conf": "Include a\nInclude a\n", "a": "Include gone\n"}

    assert len(read(files).findings) == 1


def test_paths_of_any_bytes_are_followed():
    name = b"\xff".decode("utf-8", "surrogateescape")

    found = read({"apache2.conf": b"Include \xff\n", name: HOST})

    assert found.sites[0].file == PurePosixPath("/etc/apache2") / name
