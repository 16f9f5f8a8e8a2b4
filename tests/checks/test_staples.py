"""The rules about staples: in the store, and in the files servers hand out."""

from __future__ import annotations

from datetime import timedelta
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import pytest

from staplecfg.model.facts import Inserted, Record, Stored
from tests.support.authority import Authority
from tests.support.facts import (
    AUTHORITY,
    BLOG,
    DAY,
    MAIN,
    NOW,
    PLAIN,
    SHOP,
    SHOP_PEM,
    STATE,
    facts,
    hints,
    http,
    server,
    staple,
    told,
    tried,
)

if TYPE_CHECKING:
    from staplecfg.model.facts import Facts

OURS = ("ssl_stapling on;", f"include {STATE}/k/*.conf;")
SNIPPET = f"{STATE}/k/staple.conf"
WITHDRAWN = b"ssl_stapling_responder http://127.0.0.1:1/;\n"
SERVED = f"{STATE}/staples/s.der"
RESPONDER = ("ssl_stapling on;", "ssl_stapling_responder http://127.0.0.1:8800/;")
GOOD = AUTHORITY.respond(SHOP, now=NOW)
FOREIGN = ("ssl_stapling on;", "ssl_stapling_file shop.der;")
ALONE = AUTHORITY.leaf(["shop.example"], responders=["http://ocsp.example/"])


def of(issued, *lines, files=None, **more) -> Facts:
    return facts(http(server(*lines)), {SHOP_PEM: issued, **(files or {})}, **more)


def ours(issued=SHOP, **more) -> Facts:
    return of(issued, *OURS, files={SNIPPET: WITHDRAWN}, **more)


class TestMissing:
    @pytest.mark.parametrize(
        "observed",
        [
            pytest.param(of(SHOP), id="no stapling"),
            pytest.param(of(SHOP, "ssl_stapling on;"), id="nginx fetches"),
            pytest.param(of(SHOP, *FOREIGN, files={"/etc/nginx/shop.der": GOOD}), id="foreign"),
            pytest.param(of(SHOP, *RESPONDER), id="somebody's local responder"),
            pytest.param(ours(stored={SHOP: staple(SHOP)}), id="there is one"),
            pytest.param(
                ours(stored={SHOP: Stored(None, "bad")}), id="a bad one is staple-rejected"
            ),
            pytest.param(ours(PLAIN), id="nothing to staple"),
            pytest.param(ours(b""), id="no certificate"),
        ],
    )
    def test_is_no_news(self, observed):
        assert told("staple-missing", observed) == []

    def test_our_lines_without_a_staple_are_told(self):
        assert told("staple-missing", ours()) == [
            '6: there is no staple for certificate "/etc/ssl/shop.pem"'
        ]

    def test_the_staple_of_another_certificate_does_not_count(self):
        assert len(told("staple-missing", ours(stored={BLOG: staple(BLOG)}))) == 1

    def test_the_last_error_is_told(self):
        (line,) = told("staple-missing", ours(attempts={SHOP: tried(SHOP, error="timed out")}))

        assert line.endswith(": timed out")

    def test_lines_that_we_recorded_are_ours_though_they_look_like_anyones(self):
        words = (("ssl_stapling", "on"), ("ssl_stapling_responder", "http://127.0.0.1:8800/"))
        record = Record((Inserted(MAIN, "k", words),))

        assert len(told("staple-missing", of(SHOP, *RESPONDER, record=record))) == 1
        assert told("staple-missing", of(SHOP, "ssl_stapling on;", record=record)) == []

    def test_where_nginx_is_to_fetch_by_itself_the_store_is_no_matter(self):
        live = ("ssl_stapling on;", "ssl_stapling_verify on;", "resolver 127.0.0.53;")
        words = tuple(tuple(line.rstrip(";").split()) for line in live)

        recorded = of(SHOP, *live, record=Record((Inserted(MAIN, "k", words),)))

        assert told("staple-missing", recorded) == []

    def test_state_that_is_only_missing_just_now_is_no_fetching_by_itself(self):
        words = tuple(tuple(line.rstrip(";").split()) for line in OURS)

        lost = of(SHOP, *OURS, record=Record((Inserted(MAIN, "k", words),)))

        assert len(told("staple-missing", lost)) == 1


AGES = {
    "new": (timedelta(), None),
    "just before half-life": (timedelta(hours=83), None),
    "at half-life": (timedelta(hours=84), "staple-due"),
    "at three quarters": (timedelta(hours=126), "staple-due"),
    "after three quarters": (timedelta(hours=127), "staple-expiring"),
    "in its last second": (7 * DAY - timedelta(seconds=1), "staple-expiring"),
    "at its end": (7 * DAY, "staple-expired"),
    "long past": (70 * DAY, "staple-expired"),
}


class TestAge:
    @pytest.mark.parametrize(
        ("age", "expected"), [pytest.param(*case, id=name) for name, case in AGES.items()]
    )
    def test_at_each_age_one_rule_speaks(self, age, expected):
        observed = ours(stored={SHOP: staple(SHOP, age=age)})
        rules = ("staple-due", "staple-expiring", "staple-expired")

        assert [rule for rule in rules if told(rule, observed)] == ([expected] if expected else [])

    @pytest.mark.parametrize("rule", ["staple-due", "staple-expiring", "staple-expired"])
    @pytest.mark.parametrize(
        "observed",
        [
            pytest.param(ours(), id="no staple"),
            pytest.param(ours(stored={SHOP: Stored(None, "bad")}), id="refused"),
            pytest.param(ours(stored={BLOG: staple(BLOG, age=6 * DAY)}), id="not configured"),
        ],
    )
    def test_without_a_staple_none_does(self, rule, observed):
        assert told(rule, observed) == []

    def test_the_end_of_the_responders_certificate_is_an_end(self):
        ended = staple(SHOP, responder_expires=NOW)

        assert told("staple-expired", ours(stored={SHOP: ended})) == [
            '6: the staple for "/etc/ssl/shop.pem" expired on 2026-01-22 12:00 UTC'
        ]

    def test_what_is_left_and_what_went_wrong_is_told(self):
        observed = ours(
            stored={SHOP: staple(SHOP, age=6 * DAY)}, attempts={SHOP: tried(SHOP, error="HTTP 500")}
        )

        assert told("staple-expiring", observed) == [
            (
                '6: the staple for "/etc/ssl/shop.pem" expires in 24 h, '
                "on 2026-01-23 12:00 UTC, and cannot be renewed: HTTP 500"
            )
        ]

    def test_a_due_one_is_told_with_what_is_left(self):
        assert told("staple-due", ours(stored={SHOP: staple(SHOP, age=4 * DAY)})) == [
            '6: the staple for "/etc/ssl/shop.pem" is due for renewal: 3 days left'
        ]


OTHER = Authority.create("Other")
REJECTED = {
    "another certificate's": AUTHORITY.respond(BLOG, now=NOW),
    "expired": AUTHORITY.respond(SHOP, now=NOW - 30 * DAY),
    "of the future": AUTHORITY.respond(SHOP, now=NOW + 30 * DAY),
    "revoked": AUTHORITY.respond(SHOP, now=NOW, status="revoked", revoked_at=NOW - DAY),
    "unknown": AUTHORITY.respond(SHOP, now=NOW, status="unknown"),
    "forged": AUTHORITY.respond(SHOP, now=NOW, forge=True),
    "signed by a stranger": AUTHORITY.respond(SHOP, now=NOW, signer=OTHER.intermediate),
    "an error": AUTHORITY.respond(SHOP, now=NOW, response_status=3),
    "no response at all": b"<html>",
    "empty": b"",
}


class TestRejected:
    @pytest.mark.parametrize(
        "observed",
        [
            pytest.param(of(SHOP), id="no stapling"),
            pytest.param(of(SHOP, *FOREIGN, files={"/etc/nginx/shop.der": GOOD}), id="good"),
            pytest.param(
                of(
                    SHOP,
                    *FOREIGN,
                    files={
                        "/etc/nginx/shop.der": AUTHORITY.respond(SHOP, now=NOW - 6 * DAY - DAY / 2)
                    },
                ),
                id="good for a few hours more",
            ),
            pytest.param(of(SHOP, FOREIGN[1]), id="missing, but never opened"),
            pytest.param(of(SHOP, "ssl_stapling on;", 'ssl_stapling_file "";'), id="un-inherited"),
            pytest.param(
                of(
                    SHOP,
                    *OURS,
                    files={SNIPPET: f"ssl_stapling_file {SERVED};".encode(), SERVED: GOOD},
                ),
                id="our own, good",
            ),
            pytest.param(ours(stored={SHOP: staple(SHOP)}), id="stored, good"),
            pytest.param(ours(stored={SHOP: staple(SHOP, age=70 * DAY)}), id="stored, expired"),
        ],
    )
    def test_what_may_be_stapled_is_no_news(self, observed):
        assert told("staple-rejected", observed) == []

    @pytest.mark.parametrize("der", REJECTED.values(), ids=REJECTED)
    def test_whatever_a_client_would_refuse_is_told_at_the_line(self, der):
        observed = of(SHOP, *FOREIGN, files={"/etc/nginx/shop.der": der})

        (line,) = told("staple-rejected", observed)

        assert line.startswith('8: the staple "/etc/nginx/shop.der" for /etc/ssl/shop.pem: ')

    def test_a_missing_file_is_told(self):
        assert told("staple-rejected", of(SHOP, *FOREIGN)) == [
            '8: the staple "/etc/nginx/shop.der" cannot be read: no such file'
        ]

    def test_our_own_is_told_with_another_way_out(self):
        snippet = f"ssl_stapling_file {SERVED};".encode()
        files = {SNIPPET: snippet, SERVED: REJECTED["expired"]}

        assert hints("staple-rejected", of(SHOP, *OURS, files=files)) == ["run staplecfg warm"]

    def test_a_foreign_writer_is_named_or_replaced(self):
        assert hints("staple-rejected", of(SHOP, *FOREIGN)) == [
            ("run staplecfg apply --adopt --site shop.example, or mend what writes it")
        ]

    def test_a_stored_response_that_was_refused_is_told(self):
        assert told("staple-rejected", ours(stored={SHOP: Stored(None, "it is forged")})) == [
            '6: the stored response for "/etc/ssl/shop.pem": it is forged'
        ]


BOTH = AUTHORITY.respond(SHOP, now=NOW, also=[AUTHORITY.single(ALONE, now=NOW)])
TWO = ("ssl_certificate /etc/ssl/second.pem;", *FOREIGN)


def two(der, second=ALONE) -> Facts:
    return of(SHOP, *TWO, files={"/etc/ssl/second.pem": second, "/etc/nginx/shop.der": der})


class TestTwoCertificates:
    @pytest.mark.parametrize(
        "observed",
        [
            pytest.param(of(SHOP, *FOREIGN, files={"/etc/nginx/shop.der": GOOD}), id="one"),
            pytest.param(two(BOTH), id="one response with both answers"),
            pytest.param(two(REJECTED["expired"]), id="right for neither is staple-rejected"),
            pytest.param(two(b""), id="no response"),
        ],
    )
    def test_is_no_news(self, observed):
        assert told("stapling-file-two-certificates", observed) == []

    @pytest.mark.parametrize(
        "second",
        [
            pytest.param(ALONE, id="of one issuer"),
            pytest.param(OTHER.leaf(["shop.example"]), id="of two issuers"),
        ],
    )
    def test_a_response_about_one_of_two_is_told_by_this_rule_alone(self, second):
        observed = two(GOOD, second)

        assert told("stapling-file-two-certificates", observed) == [
            (
                '9: the staple "/etc/nginx/shop.der" is sent with /etc/ssl/second.pem too '
                "and does not answer for it"
            )
        ]
        assert told("staple-rejected", observed) == []


def test_a_relative_path_counts_from_the_main_files_directory():
    observed = of(SHOP, *FOREIGN)

    assert observed.configuration.main.parent == PurePosixPath("/etc/nginx")
    assert "/etc/nginx/shop.der" in told("staple-rejected", observed)[0]
