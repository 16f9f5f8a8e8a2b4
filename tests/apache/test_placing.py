"""What stands once for the whole of Apache: where, in which order, whose, and how it goes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import pytest

from staplecfg.model.change import Kind
from staplecfg.model.facts import Record
from staplecfg.model.plan import Decision, Goal
from staplecfg.model.settings import Settings
from tests.support.apache_planned import (
    CONF,
    LINK,
    SITE,
    carried_out,
    debian,
    in_etc,
    machine,
    plan,
    tree,
    vhost,
    with_files,
)
from tests.support.facts import BLOG, PLAIN, SHOP, SHOP_PEM
from tests.support.planned import RECORD, rules

if TYPE_CHECKING:
    from tests.support.authority import Issued

CACHE = "SSLStaplingCache shmcb:theirs(131072)\n"
THEIRS = "/etc/apache2/conf-enabled/theirs.conf"
MOD_MD = Settings(server="apache", delivery="mod_md")


def test_what_a_line_needs_comes_before_it_and_goes_after_it():
    seen = debian(vhost(), enabled=("ssl",))
    done = carried_out(seen)

    module = "/etc/apache2/mods-enabled/socache_shmcb.load"
    assert in_etc(plan(seen)) == [
        f"create {module}",
        f"create {CONF}",
        f"create {LINK}",
        f"modify {SITE}",
    ]
    assert in_etc(plan(done, Goal.ABSENT)) == [
        f"modify {SITE}",
        f"delete {LINK}",
        f"delete {CONF}",
        f"delete {module}",
    ]


def test_the_second_apply_has_nothing_to_do_and_removal_leads_back():
    seen = debian(vhost(), enabled=("ssl",))
    done = carried_out(seen)

    assert plan(done).empty
    assert plan(done, Goal.STATE_ONLY).empty
    assert tree(carried_out(done, Goal.ABSENT)) == tree(seen)
    assert carried_out(done, Goal.ABSENT).record == Record()


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(CACHE, id="bare"),
        pytest.param(
            f"<IfModule mod_ssl.c>\n<IfDefine !X>\n{CACHE}</IfDefine>\n</IfModule>\n", id="nested"
        ),
    ],
)
def test_a_cache_of_somebody_elses_is_respected(text):
    seen = debian(vhost(), more={THEIRS: text})

    assert in_etc(plan(seen)) == [f"modify {SITE}"]
    assert tree(carried_out(carried_out(seen), Goal.ABSENT)) == tree(seen)


def test_a_cache_that_no_condition_lets_through_is_none():
    seen = debian(vhost(), more={THEIRS: f"<IfDefine X>\n{CACHE}</IfDefine>\n"})

    assert f"create {CONF}" in in_etc(plan(seen))


def test_once_their_cache_is_gone_ours_is_written():
    done = carried_out(debian(vhost(), more={THEIRS: CACHE}))

    assert in_etc(plan(with_files(done, {THEIRS: None}))) == [f"create {CONF}", f"create {LINK}"]


def test_ours_stays_beside_theirs_until_it_is_removed():
    both = with_files(carried_out(debian(vhost())), {THEIRS: CACHE})

    assert plan(both).empty
    assert in_etc(plan(both, Goal.ABSENT)) == [
        f"modify {SITE}",
        f"delete {LINK}",
        f"delete {CONF}",
    ]


def test_a_cache_that_others_rely_on_is_not_taken_away():
    text = vhost(name="other.example", certificate="/etc/ssl/blog.pem")
    done = carried_out(debian(vhost()))
    path = "/etc/apache2/sites-enabled/other.conf"
    relying = with_files(
        done,
        {
            path: text.replace("SSLEngine on", "SSLEngine on\nSSLUseStapling on"),
            "/etc/ssl/blog.pem": BLOG.fullchain,
        },
    )
    made = plan(
        replace(relying, settings=Settings(server="apache", exclude=("other.*",))), Goal.ABSENT
    )

    assert in_etc(made) == [f"modify {SITE}"]
    assert "shared-file-relied-on" in rules(made)
    gone = carried_out(relying, Goal.ABSENT)
    assert in_etc(plan(with_files(gone, {path: None}), Goal.ABSENT)) == [
        f"delete {LINK}",
        f"delete {CONF}",
    ]


def test_apply_never_takes_the_cache_from_a_running_server():
    done = carried_out(debian(vhost()))
    moved = replace(done, settings=MOD_MD)

    assert not any(each.startswith("delete") for each in in_etc(plan(moved)))
    assert b"SSLStaplingCache" in carried_out(moved).files.read(CONF)
    assert plan(carried_out(moved)).empty
    assert tree(carried_out(carried_out(moved), Goal.ABSENT)) == tree(debian(vhost()))


def test_a_file_of_ours_that_somebody_changed_stays():
    done = carried_out(debian(vhost()))
    text = done.files.read(CONF).replace(b"131072", b"262144")
    changed = with_files(done, {str(CONF): text})

    assert in_etc(plan(changed)) == []
    made = plan(changed, Goal.ABSENT)
    assert f"delete {CONF}" not in in_etc(made)
    assert "shared-file-left" in rules(plan(changed)) + rules(made)


def test_a_name_that_is_taken_is_not_written_over():
    seen = debian(vhost(), more={str(CONF): "ServerTokens Prod\n"})
    made = plan(seen)

    assert in_etc(made) == []
    assert "shared-file-not-ours" in rules(made)
    assert {each.decision for each in made.sites} == {Decision.REFUSED}


def test_removal_without_the_record_knows_its_own_file():
    done = carried_out(debian(vhost()))
    lost = with_files(done, {RECORD: None})

    assert tree(carried_out(lost, Goal.ABSENT)) == tree(debian(vhost()))


def test_the_cache_grows_with_the_certificates():
    many = "".join(vhost(name=f"s{n}.example", certificate=f"/etc/ssl/{n}.pem") for n in range(40))
    files = {f"/etc/ssl/{n}.pem": SHOP for n in range(40)}
    seen = debian(vhost())
    done = with_files(
        carried_out(seen), {SITE: vhost() + many, **{p: c.fullchain for p, c in files.items()}}
    )

    assert b"(131072)" in carried_out(seen).files.read(CONF)
    assert b"(262144)" in carried_out(done).files.read(CONF)
    assert plan(carried_out(done)).empty


@pytest.mark.parametrize(
    "wrapped",
    [
        pytest.param(
            "<IfDefine X>\nIncludeOptional conf-enabled/*.conf\n</IfDefine>\n", id="a condition"
        ),
        pytest.param(
            "<VirtualHost *:80>\nIncludeOptional conf-enabled/*.conf\n</VirtualHost>\n", id="a host"
        ),
    ],
)
def test_a_file_that_would_not_be_read_is_never_relied_on(wrapped):
    main = (
        f"IncludeOptional mods-enabled/*.load\nListen 443\n{wrapped}"
        "IncludeOptional sites-enabled/*.conf\n"
    )
    made = plan(debian(vhost(), main=main))

    assert in_etc(made) == []
    assert "shared-file-unread" in rules(made)
    assert {each.decision for each in made.sites} == {Decision.REFUSED}


def test_without_sites_to_configure_nothing_is_made():
    seen = debian(vhost(certificate="/etc/ssl/plain.pem"), more={"/etc/ssl/plain.pem": PLAIN})

    assert in_etc(plan(seen)) == []


RED_HAT: dict[str, str | bytes | Issued] = {
    "/etc/httpd/conf/httpd.conf": (
        "ServerRoot /etc/httpd\nInclude conf.modules.d/*.conf\nListen 443 https\n"
        "IncludeOptional conf.d/*.conf\n"
    ),
    "/etc/httpd/conf.modules.d/00-ssl.conf": "LoadModule ssl_module modules/mod_ssl.so\n",
    "/etc/httpd/modules/mod_ssl.so": b"",
    "/etc/httpd/modules/mod_socache_shmcb.so": b"",
    "/etc/httpd/conf.d/ssl.conf": vhost(),
    SHOP_PEM: SHOP,
}


def test_red_hats_file_stands_in_conf_d_and_loads_the_module():
    main = PurePosixPath("/etc/httpd/conf/httpd.conf")
    seen = machine(RED_HAT, main=main, prefix=PurePosixPath("/etc/httpd"))
    done = carried_out(seen)
    own = PurePosixPath("/etc/httpd/conf.d/staplecfg.conf")

    assert in_etc(plan(seen)) == [f"create {own}", "modify /etc/httpd/conf.d/ssl.conf"]
    assert b"LoadModule socache_shmcb_module modules/mod_socache_shmcb.so" in done.files.read(own)
    assert plan(done).empty
    assert tree(carried_out(done, Goal.ABSENT)) == tree(seen)


def test_a_module_that_is_not_there_keeps_sites_as_they_are():
    main = PurePosixPath("/etc/httpd/conf/httpd.conf")
    files = {p: t for p, t in RED_HAT.items() if "shmcb" not in p}
    made = plan(machine(files, main=main, prefix=PurePosixPath("/etc/httpd")))

    assert in_etc(made) == []
    assert "delivery-misfit" in rules(made)


PLAIN_MAIN = PurePosixPath("/usr/local/apache2/conf/httpd.conf")
HEAD = (
    "ServerRoot /usr/local/apache2\nLoadModule ssl_module modules/mod_ssl.so\n"
    "LoadModule socache_shmcb_module modules/mod_socache_shmcb.so\nListen 443\n"
)


@pytest.mark.parametrize("apart", [True, False])
def test_elsewhere_the_main_file_gets_a_line(apart):
    extra = "/usr/local/apache2/conf/extra.conf"
    main = HEAD + (f"Include {extra}\n" if apart else vhost())
    files: dict[str, str | bytes | Issued] = {SHOP_PEM: SHOP, str(PLAIN_MAIN): main}
    files |= {extra: vhost()} if apart else {}
    seen = machine(files, main=PLAIN_MAIN, prefix=PLAIN_MAIN.parents[1])
    done = carried_out(seen)
    own = PLAIN_MAIN.with_name("staplecfg.conf")
    last = [f"modify {extra}"] if apart else []

    assert in_etc(plan(seen)) == [f"create {own}", f"modify {PLAIN_MAIN}", *last]
    assert done.files.read(PLAIN_MAIN).endswith(f"\nInclude {own}\n".encode())
    assert plan(done).empty
    assert in_etc(plan(done, Goal.ABSENT)) == [*last, f"modify {PLAIN_MAIN}", f"delete {own}"]
    assert tree(carried_out(done, Goal.ABSENT)) == tree(seen)


def test_a_link_is_shown_as_a_link():
    made = plan(debian(vhost()))
    (link,) = [each for each in made.changes if each.path == LINK]

    assert link.kind is Kind.LINK
    assert link.after is not None
    assert link.after.link == "../conf-available/staplecfg.conf"
