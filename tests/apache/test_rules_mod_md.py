"""Apache's rules about mod_md: whose stapling it takes over, and where it keeps what it has."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.support.apache_facts import CACHE, ON, STATIC, conf, facts, told, vhost
from tests.support.facts import AUTHORITY, BLOG, NOW, SHOP, SHOP_PEM

if TYPE_CHECKING:
    from staplecfg.model.facts import Facts

OFF = "SSLUseStapling off"
MD = "MDStapling on"
STORE = "MDStoreDir /var/lib/apache2/md"
DOMAIN = "MDomain shop.example www.shop.example"
SET = "<MDomainSet SHOP.example>\n    MDStapling {}\n</MDomainSet>"
OTHERS_OFF = "MDStapleOthers off"
FULL = {"/etc/apache2/md/domains/shop.example/pubcert.pem": b"x"}
MOVED = {"/var/lib/apache2/md/domains/shop.example/pubcert.pem": b"x"}
WITHOUT_WATCHDOG = STATIC.replace("mod_watchdog.c ", "")
WATCHDOG = "LoadModule watchdog_module modules/mod_watchdog.so"
LEFT_BEHIND = (
    "mod_md looks for its certificates in /var/lib/apache2/md, and they are in /etc/apache2/md"
)
MD_RULES = (
    "md-shadows-mod-ssl",
    "md-stapling-without-effect",
    "md-stapling-broken-in-2-4-66",
    "md-watchdog-missing",
    "md-serves-expired",
    "md-store-unset",
    "md-store-moved",
)


def of(*lines, base=(), files=None, **more) -> Facts:
    """Return one virtual host whose own lines begin in line 7, behind `base`."""
    text = conf(CACHE, *base, vhost(*lines))
    return facts(text, {SHOP_PEM: SHOP, **(files or {})}, **more)


@pytest.mark.parametrize("rule", MD_RULES)
@pytest.mark.parametrize(
    "observed",
    [
        pytest.param(of(version=(2, 4, 66), static=WITHOUT_WATCHDOG), id="no stapling"),
        pytest.param(of(ON, version=(2, 4, 66), static=WITHOUT_WATCHDOG), id="mod_ssl staples"),
        pytest.param(of(ON, "MDStapling off"), id="mod_md switched off"),
        pytest.param(of(OFF, "MDStapling off", base=(MD,)), id="switched off here"),
        pytest.param(of(base=(DOMAIN,)), id="a managed domain without stapling"),
        pytest.param(
            of(base=("MDStoreDir md", DOMAIN), files=FULL), id="a managed domain in its place"
        ),
        pytest.param(of(ON, base=(MD, OTHERS_OFF)), id="for managed domains alone"),
    ],
)
def test_nothing_is_said_of(rule, observed):
    assert told(rule, observed) == []


class TestShadow:
    @pytest.mark.parametrize(
        "observed",
        [
            pytest.param(of(MD), id="mod_md alone"),
            pytest.param(of(MD, base=(ON,)), id="mod_ssl for the others"),
            pytest.param(of(OFF, MD, base=(OTHERS_OFF,)), id="mod_md leaves it alone"),
        ],
    )
    def test_is_no_news(self, observed):
        assert told("md-shadows-mod-ssl", observed) == []

    @pytest.mark.parametrize(
        ("observed", "expected"),
        [
            pytest.param(
                of(ON, MD),
                "7: `SSLUseStapling on` has no effect: mod_md answers here "
                "(/etc/apache2/apache2.conf:8)",
                id="both on",
            ),
            pytest.param(
                of(OFF, base=(MD,)),
                "8: `SSLUseStapling off` has no effect: staples are sent all the same "
                "(/etc/apache2/apache2.conf:3)",
                id="off, and mod_md for all",
            ),
            pytest.param(
                of(MD, base=(OFF,)),
                "3: `SSLUseStapling off` has no effect: staples are sent all the same "
                "(/etc/apache2/apache2.conf:8)",
                id="off for all",
            ),
            pytest.param(
                of(MD, "SSLStaplingForceURL http://127.0.0.1:889/"),
                "8: `SSLStaplingForceURL http://127.0.0.1:889/` has no effect: "
                "mod_md answers here (/etc/apache2/apache2.conf:7)",
                id="a responder",
            ),
            pytest.param(
                of(OFF, base=(SET.format("on"),)),
                "10: `SSLUseStapling off` has no effect: staples are sent all the same "
                "(/etc/apache2/apache2.conf:3)",
                id="a managed domain",
            ),
        ],
    )
    def test_what_mod_md_makes_void_is_told(self, observed, expected):
        assert told("md-shadows-mod-ssl", observed) == [expected]


class TestWithoutEffect:
    @pytest.mark.parametrize(
        "observed",
        [
            pytest.param(of(MD), id="others are stapled by default"),
            pytest.param(of(MD, "MDStapleOthers ON"), id="others are stapled"),
            pytest.param(of(MD, OTHERS_OFF, base=(DOMAIN,)), id="a managed domain"),
            pytest.param(of(MD, OTHERS_OFF, ON), id="mod_ssl staples"),
            pytest.param(of(MD, OTHERS_OFF, OFF), id="off by decision"),
            pytest.param(of(OTHERS_OFF), id="no stapling"),
        ],
    )
    def test_is_no_news(self, observed):
        assert told("md-stapling-without-effect", observed) == []

    def test_a_site_that_nobody_staples_for_is_told(self):
        assert told("md-stapling-without-effect", of(OTHERS_OFF, base=(MD,))) == [
            "8: `MDStapling on` (/etc/apache2/apache2.conf:3) is not for this site with this line"
        ]


class TestVersion:
    @pytest.mark.parametrize(
        "observed",
        [
            pytest.param(of(MD), id="2.4.71"),
            pytest.param(of(MD, version=(2, 4, 65)), id="2.4.65"),
            pytest.param(of(MD, version=(2, 4, 67)), id="2.4.67"),
            pytest.param(of(MD, version=()), id="a version that is not known"),
            pytest.param(of(MD, base=(DOMAIN,), version=(2, 4, 66)), id="a managed domain"),
        ],
    )
    def test_is_no_news(self, observed):
        assert told("md-stapling-broken-in-2-4-66", observed) == []

    def test_2_4_66_is_told(self):
        assert told("md-stapling-broken-in-2-4-66", of(MD, version=(2, 4, 66))) == [
            "7: mod_md of httpd 2.4.66 staples only for the domains it manages"
        ]


class TestWatchdog:
    @pytest.mark.parametrize(
        "observed",
        [
            pytest.param(of(MD), id="compiled in"),
            pytest.param(of(MD, base=(WATCHDOG,), static=WITHOUT_WATCHDOG), id="loaded"),
            pytest.param(of(MD, static=None), id="not known"),
        ],
    )
    def test_is_no_news(self, observed):
        assert told("md-watchdog-missing", observed) == []

    def test_a_server_that_would_not_start_is_told(self):
        assert told("md-watchdog-missing", of(MD, static=WITHOUT_WATCHDOG)) == [
            "7: without mod_watchdog httpd ends at the next reload; -t does not tell"
        ]


class TestExpired:
    def test_that_it_serves_what_has_expired_is_told_once(self):
        text = conf(MD, vhost(), vhost(name="www"))

        assert told("md-serves-expired", facts(text, {SHOP_PEM: SHOP})) == [
            "2: mod_md serves a staple after its end when it cannot be renewed"
        ]


def keeping(response: bytes, *lines, base=(STORE,), issued=SHOP, data=None) -> Facts:
    """Return a virtual host that mod_md staples for, with `response` in its store."""
    name = f"ocsp-{hashlib.sha1(issued.der, usedforsecurity=False).hexdigest()}.json"
    encoded = base64.urlsafe_b64encode(response).rstrip(b"=").decode()
    content = data or json.dumps({"response": encoded, "status": "good"}).encode()
    return of(
        *(lines or (MD,)), base=base, files={f"/var/lib/apache2/md/ocsp/other/{name}": content}
    )


GOOD = AUTHORITY.respond(SHOP, now=NOW)
EXPIRED = AUTHORITY.respond(SHOP, now=NOW - timedelta(days=8))
FOREIGN = AUTHORITY.respond(BLOG, now=NOW)
REVOKED = AUTHORITY.respond(SHOP, now=NOW, status="revoked")


class TestKept:
    @pytest.mark.parametrize(
        "observed",
        [
            pytest.param(of(MD, base=(STORE,)), id="nothing yet"),
            pytest.param(keeping(GOOD), id="good"),
            pytest.param(keeping(EXPIRED, ON), id="left behind, mod_ssl staples"),
            pytest.param(keeping(EXPIRED, base=("MDStoreDir /srv/md",)), id="in another store"),
            pytest.param(keeping(EXPIRED, issued=BLOG), id="about a certificate of nobody's"),
            pytest.param(keeping(GOOD, data=b"{"), id="nothing mod_md could use"),
        ],
    )
    def test_is_no_news(self, observed):
        assert told("staple-rejected", observed) == []

    @pytest.mark.parametrize(
        ("response", "says"),
        [
            pytest.param(EXPIRED, "expired", id="expired"),
            pytest.param(FOREIGN, "does not speak of this certificate", id="about another"),
            pytest.param(REVOKED, "revoked", id="revoked"),
            pytest.param(b"garbage", "", id="no response at all"),
        ],
    )
    def test_what_mod_md_would_serve_is_judged(self, response, says):
        (line,) = told("staple-rejected", keeping(response))

        assert line.startswith('8: the staple "/var/lib/apache2/md/ocsp/other/ocsp-')
        assert says in line


class TestStore:
    @pytest.mark.parametrize(
        "observed",
        [
            pytest.param(of(MD, base=(STORE,)), id="absolute"),
            pytest.param(of(MD, base=("MDStoreDir md", STORE)), id="the last one is absolute"),
            pytest.param(of(MD, base=(DOMAIN,)), id="somebody's domains are in it"),
            pytest.param(of(MD, base=("MDStoreDir md", DOMAIN)), id="and in a relative one"),
        ],
    )
    def test_is_no_news(self, observed):
        assert told("md-store-unset", observed) == []

    @pytest.mark.parametrize(
        ("base", "expected"),
        [
            pytest.param((), "7: mod_md keeps its responses in /etc/apache2/md", id="unset"),
            pytest.param(
                ("MDStoreDir store",),
                "3: mod_md keeps its responses in /etc/apache2/store",
                id="relative",
            ),
            pytest.param(
                ("ServerRoot /srv/www",),
                "8: mod_md keeps its responses in /srv/www/md",
                id="elsewhere",
            ),
        ],
    )
    def test_a_store_that_nobody_chose_is_told(self, base, expected):
        assert told("md-store-unset", of(MD, base=base)) == [expected]

    @pytest.mark.parametrize(
        "observed",
        [
            pytest.param(of(base=(STORE, DOMAIN)), id="neither has any"),
            pytest.param(of(base=(STORE, DOMAIN), files=MOVED), id="all moved"),
            pytest.param(of(base=(STORE, DOMAIN), files={**FULL, **MOVED}), id="copied"),
            pytest.param(of(base=(DOMAIN,), files=FULL), id="the default"),
            pytest.param(of(base=(STORE,), files=FULL), id="no managed domains any more"),
        ],
    )
    def test_a_store_in_its_place_is_no_news(self, observed):
        assert told("md-store-moved", observed) == []

    @pytest.mark.parametrize("domain", [DOMAIN, SET.format("off")], ids=["line", "section"])
    def test_a_store_that_was_left_behind_is_told(self, domain):
        assert told("md-store-moved", of(base=(STORE, domain), files=FULL)) == [f"3: {LEFT_BEHIND}"]

    def test_a_line_in_a_virtual_host_moves_the_store_of_all(self):
        assert told("md-store-moved", of(STORE, base=(DOMAIN,), files=FULL)) == [
            f"8: {LEFT_BEHIND}"
        ]
