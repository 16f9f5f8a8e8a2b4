"""The server as a whole: what is in effect for all of it, in order, wherever it stands."""

from __future__ import annotations

from pathlib import PurePosixPath

from staplecfg.model.settings import Settings
from staplecfg.model.site import Origin
from staplecfg.servers.apache.dialect import DIALECT
from tests.support.apache_trees import MAIN, ROOT, at, installed, memory, read

CACHE = "SSLStaplingCache shmcb:run/cache(131072)\n"


def test_an_empty_configuration_is_one():
    found = read("")

    assert (found.server, found.main) == ("apache", PurePosixPath(MAIN))
    assert (found.sites, found.globals, found.patterns, found.findings) == ((), {}, (), ())
    assert list(found.files) == [PurePosixPath(MAIN)]


def test_the_dialect_reads_by_it():
    files = memory({"apache2.conf": "Include x/*.conf\n"} | {"x/a.conf": CACHE})

    found = DIALECT.configuration(files, installed(), Settings())

    assert found.globals["SSLStaplingCache"][0].file == ROOT / "x/a.conf"
    assert DIALECT.reads(found.patterns[0], ROOT / "x/b.conf", files)


def test_server_level_directives_are_global_wherever_they_stand():
    found = read(
        {
            "apache2.conf": f"{CACHE}<IfModule core.c>\nInclude a\n</IfModule>\nUse C\n",
            "a": f"{CACHE}<Macro C>\n<IfDefine !NOT>\n{CACHE}</IfDefine>\n</Macro>\n",
        }
    )

    caches = found.globals["SSLStaplingCache"]
    assert [each.location for each in caches] == [at(1), at(1, "a"), at(4, "a")]
    assert [each.origin for each in caches] == [Origin.OWN, Origin.INCLUDED, Origin.INCLUDED]


def test_names_are_those_of_the_manual_whatever_the_case():
    found = read("sslstaplingCACHE shmcb:x\nLOADMODULE a_module a.so\nUnheardOf x\n")

    assert set(found.globals) == {"SSLStaplingCache", "LoadModule", "UnheardOf"}
    assert found.globals["LoadModule"][0].args == ("a_module", "a.so")


def test_what_stands_in_a_host_is_not_global_but_its_own():
    found = read(f"<VirtualHost *:443>\nSSLEngine on\n{CACHE}</VirtualHost>\n")

    assert set(found.globals) == {"VirtualHost"}
    assert found.sites[0].settings["SSLStaplingCache"][0].location == at(3)


def test_sections_of_other_kinds_are_not_looked_into():
    found = read(f"<Location /x>\n{CACHE}</Location>\n<If true>\n{CACHE}</If>\n")

    assert found.globals == {}


def test_a_managed_domain_is_global_with_what_takes_effect_in_it():
    found = read(
        "Define staple on\n<MDomain a.test b.test>\nMDStapling ${staple}\n"
        "<IfDefine NOT>\nMDRenewMode auto\n</IfDefine>\n</MDomain>\nMDomain c.test\n"
    )

    section, line = found.globals["MDomain"]
    assert section.args == ("a.test", "b.test")
    assert section.directive.block is not None
    assert [each.words for each in section.directive.block.children] == [("MDStapling", "on")]
    assert line.args == ("c.test",)


def test_what_is_defined_and_loaded_is_told():
    found = read("Define a b\nUnDefine a\nServerRoot /srv\nLoadModule x_module x.so\n")

    assert set(found.globals) == {"Define", "UnDefine", "ServerRoot", "LoadModule"}


def test_a_definition_httpd_would_refuse_is_reported():
    for text in ("Define", "Define a b c", "Define a:b", "UnDefine", "ServerRoot", "ServerRoot x"):
        (finding,) = read(f"Listen 1\n{text}\n").findings
        assert (finding.rule, finding.location) == ("define-invalid", at(2))


def test_a_line_that_variables_make_into_another_is_reported_and_nothing_edited():
    for text in ("Define x <Location\n${x} /a>\n", "Define x Header\n<${x} /a>\n</${x}>\n${x}\n"):
        found = read(text)
        assert all(each.rule == "line-made-of-variables" for each in found.findings)
        assert (found.findings == ()) is (text.endswith("${x}\n"))


def test_a_name_given_by_a_variable_is_that_name():
    found = read("Define x SSLStaplingCache\n${x} shmcb:x\n")

    (cache,) = found.globals["SSLStaplingCache"]
    assert (cache.args, cache.location) == (("shmcb:x",), at(2))


def test_flags_and_variables_come_from_the_installation():
    details = {"static-modules": "core.c", "defines": "SSL OTHER", "env:RUN": "/run"}
    text = "<IfDefine SSL>\nSSLStaplingCache shmcb:${RUN}/x\n</IfDefine>\n"

    found = read(text, details=details)

    assert found.globals["SSLStaplingCache"][0].args == ("shmcb:/run/x",)


def test_a_directive_put_in_by_a_macro_keeps_the_place_of_its_line():
    found = read("<Macro C $size>\n  SSLStaplingCache shmcb:x($size)\n</Macro>\nUse C 131072\n")

    (cache,) = found.globals["SSLStaplingCache"]
    assert cache.args == ("shmcb:x(131072)",)
    assert cache.location == at(2)
    data = found.files[PurePosixPath(MAIN)].data
    span = cache.directive.span
    assert data[span.start : span.end] == b"SSLStaplingCache shmcb:x($size)"


def test_debians_sections_leave_nothing_undecided_where_the_binary_cannot_be_asked():
    ports = "Listen 80\n<IfModule ssl_module>\nListen 443\n</IfModule>\n"
    ports += "<IfModule mod_gnutls.c>\nListen 443\n</IfModule>\n"
    ssl = f"<IfModule mod_ssl.c>\n{CACHE}</IfModule>\n"
    main = "LoadModule ssl_module mod_ssl.so\nInclude ports\nInclude ssl\n"
    main += "<IfModule mod_headers.c>\nHeader set a b\n</IfModule>\n"

    found = read({"apache2.conf": main, "ports": ports, "ssl": ssl}, details={})

    assert found.findings == ()
    assert all(source.refusal is None for source in found.files.values())
    assert [each.args for each in found.globals["Listen"]] == [("80",), ("443",)]
    assert "SSLStaplingCache" in found.globals
