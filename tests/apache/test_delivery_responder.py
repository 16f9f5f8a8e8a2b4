"""Apache asks the local responder: its lines, exchanged, taken out, and where they do not fit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import pytest

from staplecfg.model.plan import Decision, Goal
from staplecfg.model.settings import Endpoint, Serve, Settings
from tests.support.apache_planned import (
    DEBIAN,
    SITE,
    carried_out,
    debian,
    in_etc,
    plan,
    tree,
    vhost,
    with_files,
)
from tests.support.facts import BLOG
from tests.support.planned import RECORD, rules

if TYPE_CHECKING:
    from staplecfg.model.facts import Facts

LINES = (
    "SSLUseStapling on",
    "SSLStaplingResponderTimeout 1",
    "SSLStaplingReturnResponderErrors off",
    "SSLStaplingFakeTryLater off",
    "SSLStaplingStandardCacheTimeout 300",
    "SSLStaplingErrorCacheTimeout 5",
    "SSLStaplingResponseTimeSkew 0",
    "SSLStaplingForceURL http://127.0.0.1:889/",
)
BLOG_PEM = "/etc/ssl/blog.pem"


def text(facts: Facts, path: str = SITE) -> str:
    return facts.files.read(PurePosixPath(path)).decode()


def test_a_virtual_host_gets_its_lines():
    assert text(carried_out(debian(vhost()))) == vhost(*LINES)


def test_it_is_the_default_and_the_site_stays_with_it():
    (one,) = plan(debian(vhost())).sites

    assert one.delivery == "responder"
    assert one.key == "ssl-shop-6842c685"


def test_only_lines_are_added_to_a_host_of_odd_shape():
    odd = (
        "<IfModule mod_ssl.c>\r\n<virtualhost *:443>\r\n\tServerName shop.example\r\n"
        "\tsslengine \\\r\n On\r\n\tSSLCertificateFile \\\r\n\t\t/etc/ssl/shop.pem\r\n"
        "</VirtualHost>\r\n</IfModule>"
    )
    seen = debian(odd)
    done = carried_out(seen)
    added = "".join(f"\t{line}\r\n" for line in LINES)

    assert text(done) == odd.replace("shop.pem\r\n", f"shop.pem\r\n{added}")
    assert plan(done).empty
    assert tree(carried_out(done, Goal.ABSENT)) == tree(seen)


def test_another_port_exchanges_the_line():
    done = carried_out(debian(vhost()))
    settings = Settings(server="apache", serve=Serve(Endpoint("::1", 889)))
    moved = carried_out(replace(done, settings=settings))

    assert text(moved) == vhost(*LINES).replace("127.0.0.1:889", "[::1]:889")
    assert tree(carried_out(moved, Goal.ABSENT)) == tree(debian(vhost()))


@pytest.mark.parametrize("name", ["live", "mod_md"])
def test_deliveries_are_exchanged_and_removal_leads_back(name):
    seen = debian(vhost())
    other = replace(carried_out(seen), settings=Settings(server="apache", delivery=name))
    there = carried_out(other)
    back = replace(there, settings=Settings(server="apache", delivery="responder"))

    assert "ForceURL" not in text(there)
    assert plan(there).empty
    assert sorted(text(carried_out(back)).splitlines()) == sorted(vhost(*LINES).splitlines())
    assert tree(carried_out(carried_out(back), Goal.ABSENT)) == tree(seen)


@pytest.mark.parametrize("name", ["live", "mod_md"])
def test_a_site_stays_with_what_it_was_given(name):
    asked = carried_out(debian(vhost(), settings=Settings(server="apache", delivery=name)))

    assert plan(replace(asked, settings=Settings(server="apache"))).empty


@pytest.mark.parametrize(
    ("lines", "main", "problem"),
    [
        pytest.param(("SSLUseStapling Off",), "", "SSLUseStapling off", id="decided"),
        pytest.param((), "SSLUseStapling off\n", "SSLUseStapling off", id="decided for all"),
        pytest.param(("MDStapling on",), "", "mod_md answers", id="mod_md answers"),
        pytest.param(("SSLOCSPProxyURL http://p:1",), "", "proxy", id="a proxy"),
        pytest.param(
            ("SSLStaplingForceURL http://o:1/",), "", "is set here", id="another responder"
        ),
        pytest.param(("SSLStaplingResponderTimeout 4",), "", "is set here", id="another time"),
    ],
)
def test_what_somebody_decided_is_left_alone(lines, main, problem):
    seen = debian(vhost(*lines), enabled=("ssl", "socache_shmcb", "md"))
    seen = with_files(seen, {str(DEBIAN): text(seen, str(DEBIAN)) + main})
    made = plan(seen)

    assert in_etc(made) == []
    assert problem in made.sites[0].reason


def test_httpd_2_5_is_not_told_to_fake_nothing():
    made = plan(debian(vhost(), version=(2, 5, 1)))

    assert in_etc(made) == []
    assert "httpd 2.5" in made.sites[0].reason


def test_a_replaced_line_comes_back():
    lines = ("SSLStaplingResponderTimeout\t4 ",)
    settings = Settings(
        server="apache", replace=("SSLStaplingResponderTimeout",), sites=("shop.*",)
    )
    seen = debian(vhost(*lines), settings=settings)
    done = carried_out(seen)

    assert "SSLStaplingResponderTimeout 1" in text(done)
    assert tree(carried_out(done, Goal.ABSENT)) == tree(seen)


def test_the_main_server_is_a_site_of_its_own():
    main = (
        "IncludeOptional mods-enabled/*.load\nIncludeOptional conf-enabled/*.conf\nListen 443\n"
        "ServerName shop.example\nSSLEngine on\nSSLCertificateFile /etc/ssl/shop.pem\n"
    )
    seen = debian("", main=main)
    done = carried_out(seen)

    assert text(done, str(DEBIAN)) == main + "".join(f"{line}\n" for line in LINES)
    assert plan(done).empty
    assert tree(carried_out(done, Goal.ABSENT)) == tree(seen)


def test_the_main_server_gets_no_lines_outside_of_the_condition_its_certificate_is_under():
    tls = "SSLEngine on\nSSLCertificateFile /etc/ssl/shop.pem\n"
    modules = "IncludeOptional mods-enabled/*.load\nListen 443\n"
    main = f"{modules}<IfModule ssl_module>\n{tls}</IfModule>\n"
    made = plan(debian("", main=main))

    assert in_etc(made) == []
    assert "delivery-misfit" in rules(made)


MACRO = (
    "<Macro Site $name>\n<VirtualHost *:443>\nServerName $name.example\nSSLEngine on\n"
    "SSLCertificateFile /etc/ssl/$name.pem\n</VirtualHost>\n</Macro>\n"
    "Use Site shop\nUse Site blog\n"
)


def macro(**more: Any) -> Facts:
    return debian(
        MACRO,
        more={
            BLOG_PEM: BLOG,
            "/etc/apache2/mods-enabled/macro.load": "LoadModule macro_module m/mod_macro.so\n",
        },
        **more,
    )


def test_an_edit_in_the_body_of_a_macro_names_the_uses_it_reaches():
    made = plan(macro())
    (note,) = [each for each in made.findings if each.rule == "macro-body-edited"]

    assert f"{SITE.replace('available', 'enabled')}:8" in note.problem
    assert f"{SITE.replace('available', 'enabled')}:9" in note.problem
    assert text(carried_out(macro())).count("SSLUseStapling on") == 1
    assert plan(carried_out(macro())).empty
    assert tree(carried_out(carried_out(macro()), Goal.ABSENT)) == tree(macro())


def test_a_macro_that_one_excluded_site_uses_too_is_left_alone():
    made = plan(macro(settings=Settings(server="apache", exclude=("blog.*",))))

    assert in_etc(made) == []
    assert {each.decision for each in made.sites} == {Decision.REFUSED, Decision.SKIPPED}


def test_without_a_record_the_lines_tell():
    seen = debian(vhost())
    lost = with_files(carried_out(seen), {RECORD: None})

    assert "SSLUseStapling" not in text(carried_out(lost, Goal.ABSENT))
    assert "unsafe-edit" not in rules(plan(lost, Goal.ABSENT))
