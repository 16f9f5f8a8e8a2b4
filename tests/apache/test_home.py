"""Under whose condition our lines come to stand, and that they are then read as written."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from staplecfg.model.plan import Decision, Goal
from tests.support.apache_planned import SITE, carried_out, debian, plan, tree, vhost, with_files
from tests.support.apache_trees import read
from tests.support.facts import SHOP_PEM
from tests.support.planned import rules

LOADED = "LoadModule ssl_module m/mod_ssl.so\nListen 443\n"
ENGINE = "SSLEngine on\n"
FIRST, SECOND = "SSLCertificateFile /a.pem\n", "SSLCertificateFile /b.pem\n"


def within(*lines: str) -> str:
    return f"<IfModule mod_ssl.c>\n{''.join(lines)}</IfModule>\n"


def unless(*lines: str) -> str:
    return f"<IfModule !mod_ssl.c>\n{''.join(lines)}</IfModule>\n"


@pytest.mark.parametrize(
    ("inside", "name", "line"),
    [
        pytest.param(ENGINE + FIRST, "VirtualHost", 3, id="no condition"),
        pytest.param("<IfModule mod_x.c>\n</IfModule>\n" + ENGINE, "VirtualHost", 3, id="another"),
        pytest.param(within(ENGINE, FIRST), "IfModule", 4, id="all of it"),
        pytest.param(ENGINE + within(FIRST), "IfModule", 5, id="the certificate"),
        pytest.param(within(ENGINE), "IfModule", 4, id="the engine"),
        pytest.param(within(ENGINE) + FIRST, "VirtualHost", 3, id="the engine alone"),
        pytest.param(within(within(ENGINE, FIRST)), "IfModule", 5, id="two conditions"),
        pytest.param(within(ENGINE, within(FIRST), SECOND), "IfModule", 4, id="one certificate"),
        pytest.param(
            ENGINE + within(FIRST) + within(SECOND), "VirtualHost", 3, id="two, and none around"
        ),
        pytest.param(
            within(ENGINE) + within(FIRST) + within(SECOND), "IfModule", 4, id="three of them"
        ),
        pytest.param(ENGINE + within(FIRST) + unless(SECOND), "VirtualHost", 3, id="a choice"),
        pytest.param(
            ENGINE + FIRST + "<Directory />\nSSLRequireSSL\n</Directory>\n",
            "VirtualHost",
            3,
            id="not a condition",
        ),
    ],
)
def test_lines_are_at_home_where_the_certificates_are(inside, name, line):
    (site,) = read(f"{LOADED}<VirtualHost *:443>\n{inside}</VirtualHost>\n").sites

    assert (site.block.name, site.block.line) == (name, line)
    assert site.location.line == 3


def test_a_section_that_is_not_read_is_nobodys_home():
    (site,) = read(
        f"{LOADED}SSLCertificateFile /c.pem\n"
        f"<VirtualHost *:443>\n{ENGINE}{unless(FIRST)}</VirtualHost>\n"
    ).sites

    assert site.block.name == "VirtualHost"


CONDITIONAL = (
    "<VirtualHost *:443>\n    ServerName shop.example\n    <IfModule mod_ssl.c>\n"
    f"        SSLEngine on\n        SSLCertificateFile {SHOP_PEM}\n"
    "    </IfModule>\n</VirtualHost>\n"
)


def test_our_lines_stand_under_the_condition_and_come_out_again():
    seen = debian(CONDITIONAL)
    done = carried_out(seen)

    text = done.files.read(done.files.resolve(PurePosixPath(SITE))).decode()
    above, _, rest = text.partition("<IfModule mod_ssl.c>")
    within, _, below = rest.partition("</IfModule>")
    assert within.count("\n        SSL") == 10
    assert "SSL" not in above + below
    assert plan(done).empty
    assert tree(carried_out(done, Goal.ABSENT)) == tree(seen)


MACRO = "<Macro Tls $name {}>\n{}</Macro>\nUse Tls shop.example {}\n"


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        pytest.param("on", "off", id="a value"),
        pytest.param("on", "on", id="a value that stays"),
        pytest.param("Stapling", "Compression", id="half a name"),
        pytest.param("http", "https", id="half a URL"),
        pytest.param("1", "443", id="a digit"),
    ],
)
def test_a_body_whose_parameter_stands_in_our_lines_is_not_edited(parameter, value):
    body = vhost(name="$name").replace("SSLEngine on", "SSLEngine ON")
    seen = debian(MACRO.format(parameter, body, value))
    assert seen.configuration.sites, "the host itself says the same with it"

    made = plan(seen)

    assert [each.decision for each in made.sites] == [Decision.REFUSED]
    assert "conflicting-directive" in rules(made)
    (found,) = (each for each in made.findings if each.rule == "conflicting-directive")
    assert f"`{parameter}` would be replaced" in found.problem
    assert not [each for each in made.changes if str(each.path).startswith("/etc/apache2")]


def test_a_parameter_with_a_sigil_is_none_of_our_lines():
    seen = debian(MACRO.format("$on", vhost(name="$name"), "off"))

    done = carried_out(seen)

    assert [each.decision for each in plan(seen).sites] == [Decision.CONFIGURED]
    (site,) = done.configuration.sites
    assert site.value("SSLUseStapling") == "on"
    assert plan(done).empty


def test_a_line_of_ours_that_somebody_overrules_further_down_is_a_conflict():
    done = carried_out(debian(vhost()))
    text = done.files.read(done.files.resolve(PurePosixPath(SITE))).decode()
    over = "    <IfModule mod_ssl.c>\n        SSLStaplingResponderTimeout 9\n    </IfModule>\n"

    seen = with_files(done, {SITE: text.replace("</VirtualHost>", f"{over}</VirtualHost>")})

    (found,) = (each for each in plan(seen).findings if each.rule == "conflicting-directive")
    assert "`SSLStaplingResponderTimeout 9` is in effect here" in found.problem


def test_a_main_server_whose_certificate_is_under_a_condition_is_left_alone():
    main = "Listen 443\nIncludeOptional mods-enabled/*.load\nIncludeOptional conf-enabled/*.conf\n"
    own = f"SSLEngine on\nSSLCertificateFile {SHOP_PEM}\n"

    plainly = plan(debian("", main=main + own))
    conditionally = plan(debian("", main=f"{main}<IfModule mod_ssl.c>\n{own}</IfModule>\n"))

    assert [each.decision for each in plainly.sites] == [Decision.CONFIGURED]
    assert [each.decision for each in conditionally.sites] == [Decision.REFUSED]
    assert "stands in a section" in (conditionally.sites[0].reason or "")
