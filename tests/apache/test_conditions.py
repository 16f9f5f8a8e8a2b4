"""Sections decided while reading: true, false, or said to be undecided and not edited."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from staplecfg.model.finding import Severity
from staplecfg.servers.apache.conditions import Undecided, decide
from staplecfg.servers.apache.state import State
from tests.support.apache_trees import SSL, at, installed, memory, read

CACHE = "SSLStaplingCache shmcb:x(131072)\n"
HOST = "<VirtualHost *:443>\nSSLEngine on\n{}</VirtualHost>\n"


def state() -> State:
    made = State.of(memory({"here.conf": ""}), installed())
    made.variables.define("FLAG", None)
    made.modules.load("ssl_module", "/usr/lib/apache2/modules/mod_ssl.so")
    return made


@pytest.mark.parametrize(
    ("section", "text", "answer"),
    [
        ("IfDefine", b"FLAG", True),
        ("IfDefine", b"flag", False),
        ("IfDefine", b"!FLAG", False),
        ("IfDefine", b'  ! "FLAG" more', False),
        ("IfDefine", b'"!FLAG"', False),
        ("IfModule", b"mod_ssl.c", True),
        ("IfModule", b"ssl_module", True),
        ("IfModule", b"mod_ssl", False),
        ("IfModule", b"!mod_md.c", True),
        ("IfModule", b"core.c", True),
        ("IfFile", b"here.conf", True),
        ("IfFile", b"/etc/apache2/../apache2/here.conf", True),
        ("IfFile", b"!gone.conf", True),
        ("IfDirective", b"SSLUseStapling", True),
        ("IfDirective", b"MDStapling", False),
        ("IfDirective", b"VirtualHost", None),
        ("IfDirective", b"OnlyMine", None),
        ("IfSection", b"virtualhost", True),
        ("IfSection", b"!MDomain", True),
        ("IfVersion", b"2.4.71", True),
        ("IfVersion", b">= 2.4.8", True),
        ("IfVersion", b"< 2.4.100", True),
        ("IfVersion", b"> 2.4.71", False),
        ("IfVersion", b"!> 2.4.71", True),
        ("IfVersion", b"= 2.4", False),
        ("IfVersion", b"~ ^2[.]4", True),
        ("IfVersion", b"!= /^2[.]4/", False),
        ("IfVersion", b"= /^2", None),
        ("IfVersion", b"~ (", None),
        ("IfVersion", b"! 2.4", None),
        ("IfVersion", b">= 2.4 x", None),
        ("IfVersion", b">= 2.x", None),
        ("IfVersion", b"", None),
        ("IfModule", b"", None),
        ("IfDefine", b'""', None),
        ("IfDefine", b"!", None),
    ],
)
def test_a_condition_is_decided_or_said_to_be_undecided(section, text, answer):
    found = decide(section, text, state())

    assert (None if isinstance(found, Undecided) else found) is answer


def test_nothing_is_guessed_where_the_binary_cannot_be_asked():
    unknown = State.of(memory({}), installed({}))
    unknown.version = ()
    unknown.modules.load("ssl_module", "mod_ssl.so")

    assert decide("IfModule", b"mod_ssl.c", unknown) is True
    assert decide("IfModule", b"!mod_ssl.c", unknown) is False
    assert isinstance(decide("IfModule", b"mod_headers.c", unknown), Undecided)
    assert isinstance(decide("IfVersion", b">= 2.4", unknown), Undecided)


def test_what_lies_there_to_be_loaded_is_not_compiled_in():
    """Debian's stock tree asks for mod_cgi, and must be understood without its binary."""
    details = {"loadable-modules": "cgi mpm_event headers"}
    unknown = State.of(memory({}), installed(details))
    unknown.modules.load("headers_module", "mod_headers.so")

    assert decide("IfModule", b"mod_cgi.c", unknown) is False
    assert decide("IfModule", b"!cgi_module", unknown) is True
    assert decide("IfModule", b"event.c", unknown) is False
    assert decide("IfModule", b"mod_headers.c", unknown) is True
    assert isinstance(decide("IfModule", b"mod_logio.c", unknown), Undecided)


def test_a_module_of_an_odd_name_makes_strangers_uncertain_and_no_others():
    made = state()
    made.modules.load("mystery_module", "/opt/libmystery.so")

    assert decide("IfModule", b"mystery_module", made) is True
    assert decide("IfModule", b"mod_md.c", made) is False
    assert isinstance(decide("IfModule", b"mystery.c", made), Undecided)


def test_what_stands_in_a_false_section_is_not_in_effect():
    found = read(
        f"<IfModule mod_ssl.c>\n{CACHE}</IfModule>\n{SSL}<IfDefine X>\n{CACHE}</IfDefine>\n"
    )

    assert "SSLStaplingCache" not in found.globals
    assert found.findings == ()


@pytest.mark.parametrize("deep", [False, True])
def test_a_cache_in_true_sections_is_in_effect(deep):
    inner = f"<IfModule ssl_module>\n{CACHE}</IfModule>\n" if deep else CACHE
    found = read(f"{SSL}<IfModule mod_ssl.c>\n{inner}</IfModule>\n")

    (setting,) = found.globals["SSLStaplingCache"]
    assert setting.location == at(4 if deep else 3)


def test_an_undecided_section_at_server_level_keeps_all_files_from_being_edited():
    text = f"Include other.conf\n<IfVersion >2.4>\n{CACHE}</IfVersion>\n"

    found = read({"apache2.conf": text, "other.conf": ""})

    (finding,) = found.findings
    assert (finding.rule, finding.severity) == ("condition-undecided", Severity.WARNING)
    assert finding.location == at(2)
    assert [source.refusal for source in found.files.values()] == [finding, finding]


def test_an_undecided_section_in_a_host_keeps_its_files_from_being_edited():
    host = HOST.format("Include part.conf\n")
    part = "<IfDirective Mine>\nSSLUseStapling on\n</IfDirective>\n"

    found = read({"apache2.conf": "Include host.conf\n", "host.conf": host, "part.conf": part})

    refused = {str(file.name) for file, source in found.files.items() if source.refusal}
    assert refused == {"host.conf", "part.conf"}
    assert [finding.location for finding in found.findings] == [at(1, "part.conf")]


@pytest.mark.parametrize(
    "inside", ["Header set a b\n", "<Directory /x>\nOptions None\n</Directory>\n"]
)
def test_an_undecided_section_of_no_interest_is_no_trouble(inside):
    found = read(f"<IfDirective Mine>\n{inside}</IfDirective>\n")

    assert found.findings == ()
    assert all(source.refusal is None for source in found.files.values())


def test_an_include_in_a_section_that_is_not_read_is_a_pattern_all_the_same():
    found = read("Define d sub\n<IfDefine NOT>\nInclude ${d}/*.conf\n</IfDefine>\n")

    assert found.patterns == ("/etc/apache2/sub/*.conf",)
    assert set(found.files) == {PurePosixPath("/etc/apache2/apache2.conf")}


def test_perl_in_a_configuration_makes_all_of_it_uncertain():
    found = read("<Perl>\n$x = '</VirtualHost>';\n</Perl>\n")

    (finding,) = found.findings
    assert finding.rule == "foreign-language"
    assert all(source.refusal == finding for source in found.files.values())
