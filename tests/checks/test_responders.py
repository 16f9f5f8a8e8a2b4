"""The rules about who can be asked, what a certificate demands, and what was decided."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from staplecfg.checks.responder_url_unusable import unusable
from staplecfg.model.settings import Responders, Settings
from tests.support.authority import issue, private_key
from tests.support.facts import (
    AUTHORITY,
    NOW,
    PLAIN,
    SHOP,
    SHOP_PEM,
    STATE,
    STRICT,
    facts,
    hints,
    http,
    server,
    told,
    tried,
)

if TYPE_CHECKING:
    from staplecfg.model.facts import Facts

SELF = issue("default", private_key("ec", "self"), None)
IMPOSSIBLE = AUTHORITY.leaf(["shop.example"], must_staple=True)
ON = ("ssl_stapling on;",)
OURS = ("ssl_stapling on;", f"include {STATE}/k/*.conf;")
WITHDRAWN = b"ssl_stapling_responder http://127.0.0.1:1/;\n"


def of(issued, *lines, **more) -> Facts:
    return facts(http(server(*lines)), {SHOP_PEM: issued, **more.pop("files", {})}, **more)


class TestNoResponder:
    @pytest.mark.parametrize(
        "issued",
        [
            pytest.param(SHOP, id="one with a responder"),
            pytest.param(STRICT, id="one that demands a staple"),
            pytest.param(IMPOSSIBLE, id="an impossible demand is another rule's"),
            pytest.param(SELF, id="self-signed"),
            pytest.param(b"", id="empty"),
        ],
    )
    def test_a_responder_is_no_news(self, issued):
        assert told("no-responder-url", of(issued)) == []

    def test_a_certificate_without_one_is_told_once(self):
        text = http(server(), server(name="www.shop.example"))

        assert told("no-responder-url", facts(text, {SHOP_PEM: PLAIN})) == [
            '6: certificate "/etc/ssl/shop.pem" names no OCSP responder: nothing to staple'
        ]

    @pytest.mark.parametrize(
        ("lines", "inert"),
        [
            pytest.param((), False, id="no stapling"),
            pytest.param(("ssl_stapling off;",), False, id="off"),
            pytest.param(
                (*ON, "ssl_stapling_responder http://10.0.0.1/;"), False, id="a responder in words"
            ),
            pytest.param((*ON, "ssl_stapling_file /etc/x.der;"), False, id="a file"),
            pytest.param(ON, True, id="stapling that nginx ignores"),
        ],
    )
    def test_lines_that_do_nothing_can_be_taken_out(self, lines, inert):
        expected = ["take those lines out"] if inert else [None]

        assert hints("no-responder-url", of(PLAIN, *lines)) == expected


class TestMustStapleNoResponder:
    @pytest.mark.parametrize(
        "issued",
        [
            pytest.param(SHOP, id="no demand"),
            pytest.param(PLAIN, id="neither demand nor responder"),
            pytest.param(STRICT, id="demand and responder"),
            pytest.param(b"", id="empty"),
        ],
    )
    def test_a_demand_that_can_be_met_is_no_news(self, issued):
        assert told("must-staple-no-responder", of(issued)) == []

    def test_a_demand_that_nobody_can_meet_is_told(self):
        assert told("must-staple-no-responder", of(IMPOSSIBLE)) == [
            (
                '6: certificate "/etc/ssl/shop.pem" demands a staple (Must-Staple) '
                "but names no OCSP responder"
            )
        ]


class TestMustStapleUnmet:
    @pytest.mark.parametrize(
        ("issued", "lines"),
        [
            pytest.param(SHOP, (), id="no demand"),
            pytest.param(SHOP, ("ssl_stapling off;",), id="no demand, off"),
            pytest.param(STRICT, ON, id="on"),
            pytest.param(STRICT, ("ssl_stapling ON;",), id="on in capitals"),
            pytest.param(IMPOSSIBLE, (), id="an impossible demand is another rule's"),
        ],
    )
    def test_a_demand_that_is_met_is_no_news(self, issued, lines):
        assert told("must-staple-unmet", of(issued, *lines)) == []

    def test_no_word_about_stapling_is_told(self):
        observed = of(STRICT)

        assert told("must-staple-unmet", observed) == [
            '6: certificate "/etc/ssl/shop.pem" demands a staple (Must-Staple), and stapling is off'
        ]
        assert hints("must-staple-unmet", observed) == ["run staplecfg apply"]

    def test_a_decision_is_told_with_its_place(self):
        observed = of(STRICT, "ssl_stapling off;")

        assert told("must-staple-unmet", observed) == [
            (
                '6: certificate "/etc/ssl/shop.pem" demands a staple (Must-Staple), '
                "and /etc/nginx/nginx.conf:7 turns it off"
            )
        ]
        assert hints("must-staple-unmet", observed) == [
            "run staplecfg apply --replace ssl_stapling --site shop.example"
        ]

    def test_a_withdrawn_staple_is_told(self):
        observed = of(STRICT, *OURS, files={f"{STATE}/k/staple.conf": WITHDRAWN})

        assert told("must-staple-unmet", observed) == [
            '6: certificate "/etc/ssl/shop.pem" demands a staple (Must-Staple), and there is none'
        ]

    def test_every_site_that_presents_it_is_told(self):
        text = http(server(), server(*ON, name="ok.example"), server(name="www.shop.example"))

        assert len(told("must-staple-unmet", facts(text, {SHOP_PEM: STRICT}))) == 2

    def test_a_name_cannot_smuggle_a_command_into_the_hint(self):
        text = http(server("ssl_stapling off;", name='"a; rm -rf ~"'))

        (hint,) = hints("must-staple-unmet", facts(text, {SHOP_PEM: STRICT}))

        assert hint == "run staplecfg apply --replace ssl_stapling --site 'a; rm -rf ~'"


class TestUrl:
    @pytest.mark.parametrize(
        "url",
        [
            pytest.param("http://ocsp.example/", id="plain"),
            pytest.param("http://ocsp.example", id="no path"),
            pytest.param("http://ocsp.example:8080/a/b", id="port and path"),
            pytest.param("http://10.0.0.1/", id="address"),
            pytest.param("http://[2001:db8::1]:80/", id="IPv6"),
            pytest.param("HTTP://OCSP.EXAMPLE/", id="capitals"),
        ],
    )
    def test_a_usable_one_is_no_news(self, url):
        issued = AUTHORITY.leaf(["shop.example"], responders=[url])

        assert told("responder-url-unusable", of(issued)) == []

    @pytest.mark.parametrize(
        ("url", "wrong"),
        [
            pytest.param("https://ocsp.example/", "is https, not http", id="https"),
            pytest.param("ldap://ocsp.example/", "is ldap, not http", id="ldap"),
            pytest.param("ocsp.example", "does not start with http://", id="no scheme"),
            pytest.param("http:///x", "has no host", id="no host"),
            pytest.param("http://a:b@ocsp.example/", "holds a user name or a password", id="user"),
            pytest.param("http://ocsp.example:0/", "has port 0", id="port 0"),
            pytest.param("http://ocsp.example/a b", "holds characters", id="space"),
            pytest.param("http://ocsp.example/\x1b[2J", "holds characters", id="escape"),
            pytest.param("http://ocsp.example/" + "a" * 2000, "is longer than 2000", id="long"),
            pytest.param("http://ocsp.example:99999/", "is not a URL", id="port too large"),
            pytest.param("http://[::1/", "is not a URL", id="bracket"),
        ],
    )
    def test_an_unusable_one_is_told(self, url, wrong):
        issued = AUTHORITY.leaf(["shop.example"], responders=[url])

        (line,) = told("responder-url-unusable", of(issued))

        assert line.startswith(f'6: certificate "/etc/ssl/shop.pem": responder "{url}" {wrong}')

    def test_letters_beyond_ascii_are_no_address(self):
        assert unusable("http://öcsp.example/") == "holds characters that no URL may hold"

    def test_only_the_first_counts_as_with_nginx(self):
        urls = ["https://a.example/", "http://b.example/"]

        bad_first = AUTHORITY.leaf(["shop.example"], responders=urls)
        good_first = AUTHORITY.leaf(["shop.example"], responders=urls[::-1])

        assert len(told("responder-url-unusable", of(bad_first))) == 1
        assert told("responder-url-unusable", of(good_first)) == []

    @pytest.mark.parametrize(
        ("instead", "count"),
        [("http://ok.example/", 0), ("https://no.example/", 1), ("", 0)],
    )
    def test_what_is_asked_instead_is_what_counts(self, instead, count):
        url = "https://a.example/"
        issued = AUTHORITY.leaf(["shop.example"], responders=[url])
        settings = Settings(responders=Responders(override={url: instead}))

        assert len(told("responder-url-unusable", of(issued, settings=settings))) == count


class TestDecidedOff:
    @pytest.mark.parametrize(
        ("issued", "lines"),
        [
            pytest.param(SHOP, (), id="no word"),
            pytest.param(SHOP, ON, id="on"),
            pytest.param(PLAIN, ("ssl_stapling off;",), id="off, and nothing to staple"),
            pytest.param(b"", ("ssl_stapling off;",), id="off, and no certificate"),
        ],
    )
    def test_no_decision_is_no_news(self, issued, lines):
        assert told("stapling-off-decided", of(issued, *lines)) == []

    def test_a_decision_is_told_where_it_stands(self):
        assert told("stapling-off-decided", of(SHOP, "ssl_stapling off;")) == [
            "7: `ssl_stapling off` is set here; staplecfg does not overrule it"
        ]

    def test_an_inherited_decision_is_told_where_it_stands(self):
        text = http("ssl_stapling off;", server())

        (line,) = told("stapling-off-decided", facts(text, {SHOP_PEM: SHOP}))

        assert line.startswith("3: ")


class TestAttempts:
    @pytest.mark.parametrize("rule", ["revoked", "responder-failing"])
    @pytest.mark.parametrize(
        "attempts",
        [
            pytest.param({}, id="never asked"),
            pytest.param({SHOP: tried(SHOP)}, id="nothing came of it yet"),
            pytest.param({SHOP: tried(SHOP, last_success=NOW)}, id="success"),
            pytest.param(
                {PLAIN: tried(PLAIN, failures=3, revoked_at=NOW)}, id="another certificate's"
            ),
        ],
    )
    def test_success_is_no_news(self, rule, attempts):
        assert told(rule, of(SHOP, attempts=attempts)) == []

    def test_a_revoked_certificate_is_told_with_serial_and_date(self):
        observed = of(SHOP, attempts={SHOP: tried(SHOP, failures=1, revoked_at=NOW)})

        assert told("revoked", observed) == [
            (
                f'6: certificate "/etc/ssl/shop.pem" (serial {SHOP.cert.serial_number:x}) '
                "was revoked by its issuer on 2026-01-22 12:00 UTC"
            )
        ]
        assert told("responder-failing", observed) == []

    @pytest.mark.parametrize(("failures", "times"), [(1, "once"), (4, "4 times in a row")])
    def test_failures_are_counted_and_quoted(self, failures, times):
        attempt = tried(SHOP, failures=failures, url="http://o.example/", error="timed out")
        observed = of(SHOP, attempts={SHOP: attempt})

        assert told("responder-failing", observed) == [
            (
                f'6: no usable answer for certificate "/etc/ssl/shop.pem", {times}: '
                "http://o.example/: timed out"
            )
        ]
        assert told("revoked", observed) == []

    def test_the_url_in_the_hint_is_one_word_to_the_shell(self):
        attempt = replace(tried(SHOP, failures=1), url="http://x/;reboot")

        assert hints("responder-failing", of(SHOP, attempts={SHOP: attempt})) == [
            "curl -sv 'http://x/;reboot'"
        ]

    def test_without_a_known_url_the_certificates_own_is_named(self):
        observed = of(SHOP, attempts={SHOP: tried(SHOP, failures=1)})

        assert hints("responder-failing", observed) == ["curl -sv http://ocsp.example/"]
