"""nginx's own rules about resolvers, and which questions are put to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from staplecfg.loading.resolver import Question, questions
from staplecfg.model.facts import ResolverAnswer
from tests.support.facts import (
    AUTHORITY,
    BLOG,
    PLAIN,
    SHOP,
    SHOP_PEM,
    STATE,
    facts,
    http,
    server,
    told,
)

if TYPE_CHECKING:
    from staplecfg.model.facts import Facts

ON = "ssl_stapling on;"
FILE = "ssl_stapling_file shop.der;"
RESOLVER = "resolver 10.0.0.53;"
BY_NUMBER = AUTHORITY.leaf(["shop.example"], responders=["http://10.1.2.3/"])
BY_IPV6 = AUTHORITY.leaf(["shop.example"], responders=["http://[2001:db8::1]/"])
WITHDRAWN = {f"{STATE}/k/staple.conf": b"ssl_stapling_responder http://127.0.0.1:1/;\n"}
OURS = (ON, f"include {STATE}/k/*.conf;")
INNER = ("location / {", "resolver 10.0.0.53;", "}")
SILENT = [ResolverAnswer("10.0.0.53", "ocsp.example", "does not answer within 2 s")]


def of(*lines, issued=SHOP, files=None, **more) -> Facts:
    return facts(http(server(*lines)), {SHOP_PEM: issued, **(files or {})}, **more)


NOTHING_TO_LOOK_UP = [
    pytest.param((), {}, id="stapling is off"),
    pytest.param((ON, FILE), {}, id="a file"),
    pytest.param(OURS, {"files": WITHDRAWN}, id="withdrawn by us"),
    pytest.param((ON,), {"issued": PLAIN}, id="no responder"),
    pytest.param((ON,), {"issued": BY_NUMBER}, id="a responder by number"),
    pytest.param((ON,), {"issued": BY_IPV6}, id="a responder by IPv6 number"),
    pytest.param((ON, "ssl_stapling_responder http://127.0.0.1:8/;"), {}, id="a local responder"),
    pytest.param((ON, "ssl_stapling_responder http://unix:/run/o:/;"), {}, id="a unix socket"),
    pytest.param((ON, "ssl_stapling_responder https://o.example/;"), {}, id="https is ignored"),
    pytest.param((ON, "ssl_stapling_responder http://[::1;"), {}, id="no URL at all"),
    pytest.param((ON,), {"issued": b""}, id="no certificate"),
    pytest.param((ON, "ssl_reject_handshake on;"), {}, id="no handshake is let through"),
]


class TestMissing:
    @pytest.mark.parametrize(("lines", "more"), NOTHING_TO_LOOK_UP)
    def test_is_no_news_where_nothing_is_looked_up(self, lines, more):
        assert told("resolver-missing", of(*lines, **more)) == []

    def test_is_no_news_where_there_is_one(self):
        assert told("resolver-missing", of(ON, RESOLVER)) == []
        inherited = facts(http(RESOLVER, server(ON)), {SHOP_PEM: SHOP})
        assert told("resolver-missing", inherited) == []

    def test_a_name_and_no_resolver_is_told(self):
        assert told("resolver-missing", of(ON)) == [
            (
                "7: without `resolver` nginx keeps the addresses of ocsp.example "
                "that it found when it was started or reloaded"
            )
        ]


class TestSilent:
    @pytest.mark.parametrize(("lines", "more"), NOTHING_TO_LOOK_UP)
    def test_is_no_news_where_nothing_is_looked_up(self, lines, more):
        assert told("resolver-silent", of(*lines, RESOLVER, resolvers=SILENT, **more)) == []

    @pytest.mark.parametrize(
        ("lines", "answers"),
        [
            pytest.param((ON, RESOLVER), [], id="nobody was asked"),
            pytest.param(
                (ON, RESOLVER), [ResolverAnswer("10.0.0.53", "ocsp.example", None)], id="answered"
            ),
            pytest.param((ON, "resolver 10.0.0.54;"), SILENT, id="another resolver"),
            pytest.param((ON,), SILENT, id="no resolver"),
            pytest.param(
                (ON, RESOLVER), [ResolverAnswer("10.0.0.53", "x.example", "no")], id="another host"
            ),
        ],
    )
    def test_an_answer_is_no_news(self, lines, answers):
        assert told("resolver-silent", of(*lines, resolvers=answers)) == []

    def test_silence_is_told_at_the_resolver(self):
        assert told("resolver-silent", of(ON, RESOLVER, resolvers=SILENT)) == [
            "8: `resolver 10.0.0.53`, asked for ocsp.example, does not answer within 2 s"
        ]

    def test_an_inherited_resolver_is_told_once(self):
        parts = (RESOLVER, server(ON), server(ON, name="www"))
        observed = facts(http(*parts), {SHOP_PEM: SHOP}, resolvers=SILENT)

        assert len(told("resolver-silent", observed)) == 1


class TestInLocation:
    @pytest.mark.parametrize(("lines", "more"), NOTHING_TO_LOOK_UP)
    def test_is_no_news_where_nothing_is_looked_up(self, lines, more):
        assert told("resolver-in-location-only", of(*lines, *INNER, **more)) == []

    @pytest.mark.parametrize(
        "lines",
        [
            pytest.param((ON,), id="none at all"),
            pytest.param((ON, RESOLVER), id="in the server block"),
            pytest.param((ON, RESOLVER, *INNER), id="in both"),
            pytest.param((ON, "location / {", "}"), id="an empty location"),
        ],
    )
    def test_a_resolver_that_counts_is_no_news(self, lines):
        assert told("resolver-in-location-only", of(*lines)) == []

    @pytest.mark.parametrize(
        ("lines", "line"),
        [
            pytest.param((ON, *INNER), 9, id="in a location"),
            pytest.param((ON, "location /a {", *INNER, "}"), 10, id="two locations deep"),
        ],
    )
    def test_one_that_does_not_is_told_where_it_stands(self, lines, line):
        assert told("resolver-in-location-only", of(*lines)) == [
            f"{line}: this `resolver` is not used to find ocsp.example for stapling"
        ]


class TestBreaksAddress:
    @pytest.mark.parametrize(
        "observed",
        [
            pytest.param(of(ON, RESOLVER), id="a name"),
            pytest.param(of(ON, RESOLVER, issued=BY_NUMBER), id="an IPv4 number"),
            pytest.param(of(ON, issued=BY_IPV6), id="no resolver"),
            pytest.param(of(ON, FILE, RESOLVER, issued=BY_IPV6), id="a file"),
            pytest.param(of(RESOLVER, issued=BY_IPV6), id="stapling is off"),
        ],
    )
    def test_is_no_news(self, observed):
        assert told("resolver-breaks-address", observed) == []

    @pytest.mark.parametrize("url", ["http://[::1]:80/", "http://unix:/run/ocsp.sock:/"])
    def test_an_address_that_nginx_tries_to_look_up_is_told(self, url):
        observed = of(ON, RESOLVER, f"ssl_stapling_responder {url};")

        assert told("resolver-breaks-address", observed) == [
            f'8: with a `resolver` in effect nginx cannot ask the responder "{url}"'
        ]

    def test_so_is_one_in_the_certificate(self):
        assert len(told("resolver-breaks-address", of(ON, RESOLVER, issued=BY_IPV6))) == 1


def asked(observed) -> tuple[Question, ...]:
    return questions(observed.configuration, observed.chains)


class TestQuestions:
    @pytest.mark.parametrize(("lines", "more"), NOTHING_TO_LOOK_UP)
    def test_nothing_is_asked_where_nothing_is_looked_up(self, lines, more):
        assert asked(of(*lines, RESOLVER, **more)) == ()

    def test_nothing_is_asked_without_a_resolver_for_the_whole_site(self):
        assert asked(of(ON)) == ()
        assert asked(of(ON, *INNER)) == ()

    @pytest.mark.parametrize(
        ("resolver", "expected"),
        [
            pytest.param("10.0.0.53", [Question("10.0.0.53", "ocsp.example")], id="one"),
            pytest.param(
                "10.0.0.53 [::1]:5353 valid=300s status_zone=dns",
                [Question("10.0.0.53", "ocsp.example"), Question("[::1]:5353", "ocsp.example")],
                id="two, with options",
            ),
            pytest.param(
                "10.0.0.53:53 ipv6=off",
                [Question("10.0.0.53:53", "ocsp.example", ipv6=False)],
                id="IPv4 only",
            ),
            pytest.param(
                "10.0.0.53 ipv4=off",
                [Question("10.0.0.53", "ocsp.example", ipv4=False)],
                id="IPv6 only",
            ),
            pytest.param("local=on", [], id="the system's, for OpenResty"),
        ],
    )
    def test_each_resolver_is_asked_for_the_responder(self, resolver, expected):
        assert list(asked(of(ON, f"resolver {resolver};"))) == expected

    def test_many_sites_of_one_authority_ask_one_question(self):
        parts = (RESOLVER, ON, *(server(name=f"{n}.example") for n in range(9)))
        more = server(certificate="/etc/ssl/blog.pem")
        observed = facts(http(*parts, more), {SHOP_PEM: SHOP, "/etc/ssl/blog.pem": BLOG})

        assert asked(observed) == (Question("10.0.0.53", "ocsp.example"),)

    def test_a_responder_in_words_is_asked_for_instead(self):
        observed = of(ON, RESOLVER, "ssl_stapling_responder http://Other.Example:80/x;")

        assert asked(observed) == (Question("10.0.0.53", "other.example"),)
