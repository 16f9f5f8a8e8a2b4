"""The rules about certificates and the files they stand in."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.support.authority import Authority, issue, pem, private_key
from tests.support.facts import (
    AUTHORITY,
    BLOG,
    NOW,
    PLAIN,
    SHOP,
    SHOP_PEM,
    STRICT,
    facts,
    hints,
    http,
    server,
    told,
)

if TYPE_CHECKING:
    from staplecfg.model.facts import Facts

DAY = timedelta(days=1)
SITE = http(server())
OTHER = Authority.create("Other")
REPLACED = Authority.create(keys="the ones before")
SELF = issue("default", private_key("ec", "self"), None)
EXPIRED = AUTHORITY.leaf(["shop.example"], not_after=NOW - DAY)
FUTURE = AUTHORITY.leaf(["shop.example"], not_before=NOW + DAY)
BY_ROOT = AUTHORITY.leaf(["shop.example"], issuer=AUTHORITY.root)
LEAF, INTERMEDIATE = SHOP.cert, AUTHORITY.intermediate.cert
ROOT = AUTHORITY.root.cert
TIRED = Authority.create("Tired", intermediate_not_after=NOW - DAY)
UNDER_TIRED = TIRED.leaf(["shop.example"])


def of(content, **more) -> Facts:
    return facts(SITE, {} if content is None else {SHOP_PEM: content}, **more)


class TestUnreadable:
    @pytest.mark.parametrize(
        "content",
        [
            pytest.param(SHOP, id="leaf and intermediate"),
            pytest.param(pem(LEAF), id="leaf alone"),
            pytest.param(SELF, id="self-signed"),
            pytest.param(SHOP.fullchain + SHOP.key_pem, id="the key behind the certificates"),
            pytest.param(SHOP.fullchain.replace(b"\n", b"\r\n"), id="CRLF"),
        ],
    )
    def test_a_certificate_is_no_news(self, content):
        assert told("certificate-unreadable", of(content)) == []

    def test_a_variable_names_no_file_to_read(self):
        text = http(server(certificate="/etc/ssl/$ssl_server_name.pem"))

        assert told("certificate-unreadable", facts(text, {})) == []

    @pytest.mark.parametrize(
        "content",
        [
            pytest.param(b"", id="empty"),
            pytest.param(SHOP.key_pem, id="the private key"),
            pytest.param(b"-----BEGIN CERTIFICATE-----\nAAAA\n", id="cut off"),
            pytest.param(b"\x00\xff" * 99, id="binary nonsense"),
            pytest.param(SHOP.der, id="DER, which servers do not read"),
        ],
    )
    def test_anything_else_is_told_where_it_is_configured(self, content):
        (line,) = told("certificate-unreadable", of(content))

        assert line.startswith('6: certificate "/etc/ssl/shop.pem": ')

    def test_a_missing_file_is_told_once_however_many_sites_name_it(self):
        text = http(server(), server(name="www.shop.example"))

        assert told("certificate-unreadable", facts(text, {})) == [
            '6: certificate "/etc/ssl/shop.pem": no such file'
        ]

    def test_the_hint_says_where_to_put_the_certificate(self):
        assert hints("certificate-unreadable", facts(SITE, {})) == [
            "put the certificate and its intermediates at /etc/ssl/shop.pem"
        ]


class TestTimes:
    @pytest.mark.parametrize("rule", ["certificate-expired", "certificate-not-yet-valid"])
    @pytest.mark.parametrize(
        "content",
        [
            pytest.param(SHOP, id="valid for long"),
            pytest.param(AUTHORITY.leaf(not_after=NOW), id="until this very second"),
            pytest.param(AUTHORITY.leaf(not_before=NOW), id="from this very second"),
            pytest.param(None, id="not there"),
            pytest.param(b"", id="empty"),
        ],
    )
    def test_a_current_certificate_is_no_news(self, rule, content):
        assert told(rule, of(content)) == []

    def test_an_expired_one_is_told_with_its_end(self):
        assert told("certificate-expired", of(EXPIRED)) == [
            '6: certificate "/etc/ssl/shop.pem" expired on 2026-01-21 12:00 UTC'
        ]
        assert told("certificate-not-yet-valid", of(EXPIRED)) == []

    def test_one_of_the_future_is_told_with_both_clocks(self):
        assert told("certificate-not-yet-valid", of(FUTURE)) == [
            (
                '6: certificate "/etc/ssl/shop.pem" is valid from 2026-01-23 12:00 UTC; '
                "this machine has 2026-01-22 12:00 UTC"
            )
        ]
        assert told("certificate-expired", of(FUTURE)) == []


class TestSelfSigned:
    @pytest.mark.parametrize(
        "content",
        [
            pytest.param(SHOP, id="issued by an intermediate"),
            pytest.param(BY_ROOT, id="issued by a root"),
            pytest.param(pem(LEAF), id="leaf alone"),
            pytest.param(None, id="not there"),
        ],
    )
    def test_an_issued_certificate_is_no_news(self, content):
        assert told("certificate-self-signed", of(content)) == []

    def test_a_self_signed_one_is_told(self):
        assert told("certificate-self-signed", of(SELF)) == [
            '6: certificate "/etc/ssl/shop.pem" is self-signed: there is nothing to staple'
        ]


class TestIncomplete:
    @pytest.mark.parametrize(
        ("content", "roots"),
        [
            pytest.param(SHOP, [], id="complete"),
            pytest.param(pem(INTERMEDIATE, LEAF), [], id="in another order"),
            pytest.param(SELF, [], id="self-signed"),
            pytest.param(pem(BY_ROOT.cert), [ROOT], id="issued by a trusted root"),
            pytest.param(pem(LEAF, OTHER.intermediate.cert), [], id="a wrong intermediate"),
            pytest.param(None, [], id="not there"),
        ],
    )
    def test_a_file_with_its_issuer_is_no_news(self, content, roots):
        assert told("chain-incomplete", of(content, roots=roots)) == []

    @pytest.mark.parametrize(
        ("content", "roots"),
        [
            pytest.param(pem(LEAF), [], id="no roots are known"),
            pytest.param(pem(LEAF), [ROOT], id="the root did not issue it"),
            pytest.param(pem(BY_ROOT.cert), [], id="issued by a root nobody trusts"),
        ],
    )
    def test_a_leaf_alone_is_told_with_the_missing_issuer(self, content, roots):
        (line,) = told("chain-incomplete", of(content, roots=roots))

        assert line.startswith(
            '6: "/etc/ssl/shop.pem" does not hold its issuer\'s certificate, "CN=Honest '
        )


class TestOrder:
    @pytest.mark.parametrize(
        "content",
        [
            pytest.param(SHOP, id="leaf, intermediate"),
            pytest.param(pem(LEAF), id="leaf alone"),
            pytest.param(SELF, id="self-signed"),
            pytest.param(None, id="not there"),
            pytest.param(b"", id="empty"),
        ],
    )
    def test_the_right_order_is_no_news(self, content):
        assert told("chain-order", of(content)) == []

    @pytest.mark.parametrize(
        "content",
        [
            pytest.param(pem(INTERMEDIATE, LEAF), id="the intermediate first"),
            pytest.param(pem(LEAF, OTHER.intermediate.cert, INTERMEDIATE), id="a stranger"),
            pytest.param(pem(LEAF, INTERMEDIATE, INTERMEDIATE), id="twice"),
            pytest.param(pem(LEAF, INTERMEDIATE, ROOT), id="the root"),
        ],
    )
    def test_another_order_is_told(self, content):
        lines = told("chain-order", of(content))

        assert lines
        assert all(line.startswith('6: "/etc/ssl/shop.pem": ') for line in lines)


class TestUntrusted:
    @pytest.mark.parametrize(
        ("content", "roots"),
        [
            pytest.param(SHOP, [ROOT], id="trusted"),
            pytest.param(SHOP, [OTHER.root.cert, ROOT], id="one of several roots"),
            pytest.param(SHOP, [], id="no roots could be read"),
            pytest.param(UNDER_TIRED, [], id="expired, and no roots could be read"),
            pytest.param(BY_ROOT, [ROOT], id="issued by the root itself"),
            pytest.param(SELF, [ROOT], id="self-signed"),
            pytest.param(EXPIRED, [ROOT], id="an expired leaf is another rule's"),
            pytest.param(pem(LEAF), [OTHER.root.cert], id="a missing issuer is another rule's"),
        ],
    )
    def test_a_chain_to_a_root_is_no_news(self, content, roots):
        assert told("chain-untrusted", of(content, roots=roots)) == []

    @pytest.mark.parametrize(
        ("content", "roots", "expected"),
        [
            pytest.param(SHOP, [OTHER.root.cert], "Honest Root", id="another root"),
            pytest.param(UNDER_TIRED, [TIRED.root.cert], "expired", id="expired intermediate"),
            pytest.param(SHOP, [REPLACED.root.cert], "another key", id="a namesake of the root"),
        ],
    )
    def test_a_way_that_leads_nowhere_is_told(self, content, roots, expected):
        (line,) = told("chain-untrusted", of(content, roots=roots))

        assert line.startswith('6: "/etc/ssl/shop.pem" leads to no trusted root: ')
        assert expected in line


class TestIssuerUnknown:
    @pytest.mark.parametrize(
        "content",
        [
            pytest.param(SHOP, id="complete"),
            pytest.param(pem(LEAF), id="a missing issuer is another rule's"),
            pytest.param(pem(LEAF, OTHER.intermediate.cert, INTERMEDIATE), id="among others"),
            pytest.param(SELF, id="self-signed"),
            pytest.param(SELF.fullchain + pem(ROOT), id="self-signed beside another"),
            pytest.param(None, id="not there"),
        ],
    )
    def test_a_known_issuer_is_no_news(self, content):
        assert told("issuer-unknown", of(content)) == []

    @pytest.mark.parametrize(
        ("wrong", "name"),
        [
            pytest.param(OTHER.intermediate.cert, "Other", id="another authority"),
            pytest.param(REPLACED.intermediate.cert, "Honest", id="same name, other key"),
        ],
    )
    def test_a_wrong_intermediate_is_told_by_name(self, wrong, name):
        assert told("issuer-unknown", of(pem(LEAF, wrong))) == [
            (
                '6: certificate "/etc/ssl/shop.pem" was issued by "CN=Honest Intermediate", '
                f'and its file holds "CN={name} Intermediate", none of which signed it'
            )
        ]


def test_a_healthy_file_has_nothing_said_of_it_by_any_of_these():
    for issued in (SHOP, BLOG, PLAIN, STRICT):
        observed = of(issued, roots=[ROOT])
        for rule in ("certificate-unreadable", "chain-order", "chain-untrusted", "issuer-unknown"):
            assert told(rule, observed) == []
