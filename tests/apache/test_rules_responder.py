"""Apache's rules about whom it asks, how long it waits, and what it makes of failures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from staplecfg.model.chain import Chain
from tests.support.apache_facts import CACHE, ON, conf, facts, hints, told, vhost
from tests.support.authority import pem
from tests.support.facts import AUTHORITY, BLOG, PLAIN, SHOP, SHOP_PEM, STRICT

if TYPE_CHECKING:
    from staplecfg.model.facts import Facts

BLOG_PEM = "/etc/ssl/blog.pem"
OFF = "SSLUseStapling off"
LOCAL = "SSLStaplingForceURL http://127.0.0.1:889/"
REMOTE = "SSLStaplingForceURL http://ocsp.example/"
NO_ERRORS = "SSLStaplingReturnResponderErrors off"
NO_FAKE = "SSLStaplingFakeTryLater off"
OURS = (
    ON,
    LOCAL,
    "SSLStaplingResponderTimeout 1",
    NO_ERRORS,
    NO_FAKE,
    "SSLStaplingStandardCacheTimeout 300",
)
HTTPS = AUTHORITY.leaf(["shop.example"], responders=["https://ocsp.example/"])
CAPITALS = AUTHORITY.leaf(["shop.example"], responders=["HTTP://ocsp.example/"])
SECOND = AUTHORITY.leaf(["shop.example"], responders=["http://a.example/", "https://b.example/"])
LEAF, INTERMEDIATE = pem(SHOP.cert), pem(AUTHORITY.intermediate.cert)
ROOT = AUTHORITY.root.cert
WAITING = "httpd fetches this staple during handshakes, after each reload and every"
MOD_SSL_RULES = (
    "responder-ends-handshakes",
    "ocsp-proxy-unfit",
    "fetch-during-handshake",
    "outage-becomes-try-later",
    "outage-stalls-handshakes",
    "fake-try-later-in-2-5",
    "stapling-time-not-seconds",
    "responder-timeout-unfit",
    "standard-cache-timeout-unfit",
    "response-max-age-short",
    "staple-served-after-its-end",
    "stapling-line-without-effect",
    "stapling-issuer-missing",
    "certificate-stapled-in-two-ways",
)


def of(*lines, issued=SHOP, base=(), **more) -> Facts:
    """Return one virtual host whose own lines begin in line 7, behind `base`."""
    text = conf(CACHE, *base, vhost(*lines))
    return facts(text, {SHOP_PEM: issued, BLOG_PEM: BLOG}, **more)


@pytest.mark.parametrize("rule", MOD_SSL_RULES)
@pytest.mark.parametrize(
    "observed",
    [
        pytest.param(of(), id="no word about stapling"),
        pytest.param(of(OFF), id="off by decision"),
        pytest.param(of(*OURS), id="as staplecfg has it"),
        pytest.param(of(base=OURS), id="as staplecfg has it, for all sites"),
        pytest.param(of("MDStapling on"), id="mod_md staples"),
        pytest.param(of(OFF, *OURS[1:]), id="switched off for the time being"),
    ],
)
def test_nothing_is_said_of(rule, observed):
    assert told(rule, observed) == []


class TestEndedHandshakes:
    @pytest.mark.parametrize(
        "observed",
        [
            pytest.param(of(ON), id="http in the certificate"),
            pytest.param(of(ON, REMOTE), id="http in words"),
            pytest.param(of(ON, LOCAL, issued=HTTPS), id="http instead of the certificate's"),
            pytest.param(of(ON, issued=SECOND), id="https in the second place"),
            pytest.param(of(ON, issued=PLAIN), id="nobody to ask"),
            pytest.param(of(issued=HTTPS), id="stapling is off"),
            pytest.param(of("MDStapling on", issued=HTTPS), id="mod_md speaks https"),
        ],
    )
    def test_is_no_news(self, observed):
        assert told("responder-ends-handshakes", observed) == []

    @pytest.mark.parametrize(
        ("url", "why"),
        [
            pytest.param("https://o.example/", "does not begin with http://", id="https"),
            pytest.param("o.example", "does not begin with http://", id="no scheme"),
            pytest.param("localhost:889", "does not begin with http://", id="host and port"),
            pytest.param("HTTP://o.example/", "has its scheme in capitals", id="capitals"),
        ],
    )
    def test_an_address_in_words_is_told_at_its_line(self, url, why):
        assert told("responder-ends-handshakes", of(ON, f"SSLStaplingForceURL {url}")) == [
            f'8: httpd ends each handshake that asks for a staple: "{url}" {why}'
        ]

    @pytest.mark.parametrize(
        ("issued", "url"), [(HTTPS, "https://ocsp.example/"), (CAPITALS, "HTTP://ocsp.example/")]
    )
    def test_an_address_in_the_certificate_is_told_where_stapling_is_on(self, issued, url):
        (line,) = told("responder-ends-handshakes", of(ON, issued=issued))

        assert line.startswith("7: httpd ends each handshake")
        assert f'the responder in {SHOP_PEM}, "{url}"' in line


class TestProxy:
    @pytest.mark.parametrize(
        "lines",
        [
            pytest.param((ON,), id="none"),
            pytest.param((ON, "SSLOCSPProxyURL http://proxy.example:3128/"), id="a good one"),
            pytest.param((ON, REMOTE, "SSLOCSPProxyURL http://[::1]:3128"), id="a local one"),
            pytest.param(("SSLOCSPProxyURL foo",), id="no stapling"),
            pytest.param((OFF, LOCAL, "SSLOCSPProxyURL foo"), id="stapling is off"),
        ],
    )
    def test_is_no_news(self, lines):
        assert told("ocsp-proxy-unfit", of(*lines)) == []

    @pytest.mark.parametrize(
        ("url", "problem"),
        [
            pytest.param("foo", '"foo" has no host: nothing can be fetched through it', id="word"),
            pytest.param(
                "http://p.example/",
                '"http://p.example/" has no port: nothing can be fetched through it',
                id="no port",
            ),
            pytest.param(
                "https://p.example:3128",
                '"https://p.example:3128" is spoken to in plain http, whatever its scheme says',
                id="https",
            ),
        ],
    )
    def test_a_proxy_that_cannot_be_used_is_told(self, url, problem):
        assert told("ocsp-proxy-unfit", of(ON, f"SSLOCSPProxyURL {url}")) == [f"8: {problem}"]

    def test_a_number_that_is_no_port_is_told(self):
        (line,) = told("ocsp-proxy-unfit", of(ON, "SSLOCSPProxyURL http://p.example:99999"))

        assert line.startswith('8: "http://p.example:99999" is no URL: ')

    def test_a_proxy_before_the_local_responder_is_told(self):
        observed = of(*OURS, base=("SSLOCSPProxyURL http://proxy.example:3128",))

        assert told("ocsp-proxy-unfit", observed) == [
            "3: this proxy is asked instead of the local responder"
        ]


class TestFetching:
    @pytest.mark.parametrize(
        "observed",
        [
            pytest.param(of(ON, LOCAL), id="the local responder"),
            pytest.param(of(ON, "SSLStaplingForceURL http://[::1]:1/a"), id="at its other address"),
            pytest.param(of(ON, "SSLStaplingForceURL http://localhost"), id="by name"),
            pytest.param(of(ON, issued=PLAIN), id="nobody to ask"),
            pytest.param(of(ON, issued=b""), id="no certificate"),
        ],
    )
    def test_is_no_news(self, observed):
        assert told("fetch-during-handshake", observed) == []

    @pytest.mark.parametrize(
        ("observed", "line"),
        [
            pytest.param(of(ON), 7, id="the certificate's responder"),
            pytest.param(of(ON, REMOTE), 7, id="one in words"),
            pytest.param(of(ON, REMOTE, issued=PLAIN), 7, id="one in words alone"),
            pytest.param(of(base=(ON,)), 3, id="for all sites"),
            pytest.param(
                of(ON, "SSLStaplingForceURL http://127.0.0.1.example/"), 7, id="no local name"
            ),
        ],
    )
    def test_handshakes_that_wait_are_told(self, observed, line):
        assert told("fetch-during-handshake", observed) == [f"{line}: {WAITING} 3600 s"]

    def test_how_often_is_told_as_it_is_set(self):
        (line,) = told("fetch-during-handshake", of(ON, "SSLStaplingStandardCacheTimeout 86400"))

        assert line == f"7: {WAITING} 86400 s"

    def test_a_certificate_that_demands_a_staple_is_said_to(self):
        (line,) = told("fetch-during-handshake", of(ON, issued=STRICT))

        assert line.endswith("and this certificate demands one (Must-Staple)")


class TestOutages:
    @pytest.mark.parametrize(
        "observed",
        [
            pytest.param(of(ON, NO_FAKE), id="nothing is faked"),
            pytest.param(of(ON, NO_ERRORS), id="errors are kept back, which is another rule's"),
            pytest.param(of(ON, LOCAL, NO_FAKE), id="a local one, nothing is faked"),
            pytest.param(of(ON, issued=PLAIN), id="nobody to ask"),
        ],
    )
    def test_try_later_is_no_news(self, observed):
        assert told("outage-becomes-try-later", observed) == []

    @pytest.mark.parametrize(
        ("lines", "span"),
        [
            pytest.param((ON,), " for 3600 s", id="defaults"),
            pytest.param((ON, "SSLStaplingFakeTryLater on"), " for 3600 s", id="in words"),
            pytest.param(
                (ON, "SSLStaplingStandardCacheTimeout 86400"), " for 86400 s", id="for a day"
            ),
            pytest.param((ON, LOCAL), " for 3600 s", id="a local responder that is down"),
            pytest.param((ON, LOCAL, NO_ERRORS), "", id="faked as long as it is down"),
        ],
    )
    def test_try_later_is_told(self, lines, span):
        assert told("outage-becomes-try-later", of(*lines)) == [
            f"7: when a fetch fails, TRY_LATER is stapled{span}"
        ]

    def test_the_hint_depends_on_who_is_asked(self):
        assert hints("outage-becomes-try-later", of(ON)) == ["run staplecfg apply"]
        assert hints("outage-becomes-try-later", of(ON, LOCAL)) == [
            "add `SSLStaplingReturnResponderErrors off` and `SSLStaplingFakeTryLater off`"
        ]

    @pytest.mark.parametrize(
        "observed",
        [
            pytest.param(of(ON), id="defaults"),
            pytest.param(of(ON, LOCAL, NO_ERRORS, NO_FAKE), id="a local responder"),
            pytest.param(of(ON, "SSLStaplingFakeTryLater ON"), id="on in capitals"),
            pytest.param(of(ON, NO_ERRORS, issued=PLAIN), id="nobody to ask"),
            pytest.param(of(NO_ERRORS), id="no stapling"),
        ],
    )
    def test_stalling_is_no_news(self, observed):
        assert told("outage-stalls-handshakes", observed) == []

    @pytest.mark.parametrize(
        ("lines", "line", "name"),
        [
            pytest.param((ON, NO_ERRORS), 8, "SSLStaplingReturnResponderErrors", id="errors"),
            pytest.param((ON, NO_FAKE), 8, "SSLStaplingFakeTryLater", id="nothing faked"),
            pytest.param((NO_FAKE, NO_ERRORS, ON), 8, "SSLStaplingReturnResponderErrors", id="all"),
        ],
    )
    def test_handshakes_that_wait_in_turn_are_told(self, lines, line, name):
        assert told("outage-stalls-handshakes", of(*lines)) == [
            f"{line}: with `{name} off` each handshake waits for a hanging responder, in turn"
        ]

    @pytest.mark.parametrize(
        ("lines", "version"),
        [
            pytest.param(OURS, (2, 4, 71), id="2.4"),
            pytest.param(OURS, (), id="a version that is not known"),
            pytest.param((ON, LOCAL, NO_ERRORS), (2, 5, 1), id="errors alone"),
            pytest.param((ON, "SSLStaplingFakeTryLater on"), (2, 5, 1), id="faked"),
            pytest.param((NO_FAKE,), (2, 5, 1), id="no stapling"),
        ],
    )
    def test_2_5_is_no_news(self, lines, version):
        assert told("fake-try-later-in-2-5", of(*lines, version=version)) == []

    @pytest.mark.parametrize("version", [(2, 5, 0), (2, 5, 1), (2, 6), (3, 0)])
    def test_what_2_5_makes_of_it_is_told(self, version):
        assert told("fake-try-later-in-2-5", of(*OURS, version=version)) == [
            "11: with this line httpd 2.5 ends the handshake when a fetch fails"
        ]


class TestTimes:
    @pytest.mark.parametrize("text", ["0", "1", "007", "2147483647"])
    def test_seconds_are_no_news(self, text):
        observed = of(ON, f"SSLStaplingErrorCacheTimeout {text}")

        assert told("stapling-time-not-seconds", observed) == []

    @pytest.mark.parametrize(
        ("text", "read"),
        [
            pytest.param("500ms", "500 s to httpd", id="milliseconds"),
            pytest.param("5m", "5 s to httpd", id="minutes"),
            pytest.param("1h", "1 s to httpd", id="hours"),
            pytest.param("abc", "0 s to httpd", id="a word"),
            pytest.param("-1", "-1 s to httpd", id="below nothing"),
            pytest.param("+3", "3 s to httpd", id="a plus"),
            pytest.param("0x10", "0 s to httpd", id="hexadecimal"),
            pytest.param("1e3", "1 s to httpd", id="powers of ten"),
            pytest.param("'7 '", "7 s to httpd", id="a blank"),
            pytest.param("\u0667", "0 s to httpd", id="digits of another script"),
            pytest.param("2147483648", "more seconds than httpd can count", id="too large"),
        ],
    )
    @pytest.mark.parametrize(
        "name",
        [
            "SSLStaplingResponderTimeout",
            "SSLStaplingResponseTimeSkew",
            "SSLStaplingResponseMaxAge",
            "SSLStaplingStandardCacheTimeout",
            "SSLStaplingErrorCacheTimeout",
        ],
    )
    def test_what_httpd_reads_instead_is_told(self, name, text, read):
        assert told("stapling-time-not-seconds", of(ON, f"{name} {text}")) == [
            f"8: `{name} {text.strip(chr(39))}` is {read}"
        ]

    def test_a_line_for_all_sites_is_told_once(self):
        text = conf("SSLStaplingResponderTimeout 5m", vhost(ON), vhost(ON, name="www"))

        assert len(told("stapling-time-not-seconds", facts(text, {SHOP_PEM: SHOP}))) == 1

    @pytest.mark.parametrize(
        ("lines", "rule"),
        [
            pytest.param((ON, "SSLStaplingResponderTimeout 1"), "responder-timeout-unfit", id="1"),
            pytest.param(
                (ON, "SSLStaplingResponderTimeout 10"), "responder-timeout-unfit", id="10"
            ),
            pytest.param(
                (ON, LOCAL, "SSLStaplingResponderTimeout 60"),
                "responder-timeout-unfit",
                id="a local responder",
            ),
            pytest.param(("SSLStaplingResponderTimeout 0",), "responder-timeout-unfit", id="off"),
            pytest.param(
                (ON, "SSLStaplingStandardCacheTimeout 600"),
                "standard-cache-timeout-unfit",
                id="ten minutes",
            ),
            pytest.param(
                (ON, "SSLStaplingStandardCacheTimeout 604800"),
                "standard-cache-timeout-unfit",
                id="a week",
            ),
            pytest.param(
                (ON, LOCAL, "SSLStaplingStandardCacheTimeout 3600"),
                "standard-cache-timeout-unfit",
                id="a local responder, an hour",
            ),
            pytest.param(
                (ON, LOCAL, "SSLStaplingStandardCacheTimeout 0"),
                "standard-cache-timeout-unfit",
                id="a local responder, always asked",
            ),
            pytest.param(
                (ON, "SSLStaplingResponseMaxAge 345600"), "response-max-age-short", id="four days"
            ),
            pytest.param(
                (ON, "SSLStaplingResponseMaxAge -1"), "response-max-age-short", id="no limit"
            ),
            pytest.param(
                (ON, "SSLStaplingResponseTimeSkew 300"), "staple-served-after-its-end", id="skew"
            ),
            pytest.param(
                (ON, "SSLStaplingResponseTimeSkew 0"), "staple-served-after-its-end", id="no skew"
            ),
        ],
    )
    def test_a_good_time_is_no_news(self, lines, rule):
        assert told(rule, of(*lines)) == []

    @pytest.mark.parametrize(
        ("rule", "lines", "expected"),
        [
            pytest.param(
                "responder-timeout-unfit",
                (ON, "SSLStaplingResponderTimeout 0"),
                "8: with a timeout of 0 every fetch fails at once",
                id="no time",
            ),
            pytest.param(
                "responder-timeout-unfit",
                (ON, "SSLStaplingResponderTimeout none", LOCAL),
                "8: with a timeout of 0 every fetch fails at once",
                id="a word, at the local responder",
            ),
            pytest.param(
                "responder-timeout-unfit",
                (ON, "SSLStaplingResponderTimeout 500ms"),
                "8: a handshake may wait 500 s for the responder, and the next ones behind it",
                id="units",
            ),
            pytest.param(
                "standard-cache-timeout-unfit",
                (ON, "SSLStaplingStandardCacheTimeout 0"),
                "8: nothing is cached: every visitor waits for the staple to be fetched",
                id="no cache",
            ),
            pytest.param(
                "standard-cache-timeout-unfit",
                (ON, "SSLStaplingStandardCacheTimeout 10m"),
                "8: every 10 s a visitor waits for the staple to be fetched",
                id="short",
            ),
            pytest.param(
                "standard-cache-timeout-unfit",
                (ON, LOCAL, "SSLStaplingStandardCacheTimeout 86400"),
                "9: a renewed staple is taken up only after 86400 s",
                id="long",
            ),
            pytest.param(
                "response-max-age-short",
                (ON, "SSLStaplingResponseMaxAge 3600"),
                "8: responses older than 3600 s count as invalid, and many good ones are",
                id="age",
            ),
            pytest.param(
                "staple-served-after-its-end",
                (ON, LOCAL, "SSLStaplingResponseTimeSkew 86400"),
                "9: a staple is served until 86400 s after its end",
                id="skew",
            ),
        ],
    )
    def test_a_time_that_harms_is_told(self, rule, lines, expected):
        assert told(rule, of(*lines)) == [expected]


def beside(issued, chain, line="SSLCertificateChainFile ssl/chain.pem", **more) -> Facts:
    text = conf("ServerRoot /etc/apache2", CACHE, vhost(ON, line))
    return facts(text, {SHOP_PEM: issued, "/etc/apache2/ssl/chain.pem": chain}, **more)


class TestIssuer:
    @pytest.mark.parametrize(
        "observed",
        [
            pytest.param(of(ON), id="in the file"),
            pytest.param(beside(LEAF, INTERMEDIATE), id="in the file beside it"),
            pytest.param(beside(LEAF, pem(ROOT) + INTERMEDIATE), id="beside it, behind another"),
            pytest.param(beside(LEAF, SHOP.fullchain), id="beside it, with the leaf again"),
            pytest.param(beside(SHOP, b"not read"), id="in the file, and the other is broken"),
            pytest.param(of(issued=LEAF), id="no stapling"),
            pytest.param(of(ON, issued=b""), id="no certificate"),
            pytest.param(of(ON, issued=pem(ROOT)), id="its own issuer"),
            pytest.param(
                of(ON, "SSLCACertificateFile /etc/ssl/c.pem", issued=LEAF),
                id="perhaps in the clients' store",
            ),
        ],
    )
    def test_is_no_news(self, observed):
        assert told("stapling-issuer-missing", observed) == []

    @pytest.mark.parametrize(
        "lines", [(ON,), (*OURS,), ("MDStapling on",)], ids=["plain", "ours", "mod_md"]
    )
    def test_a_leaf_alone_is_told_at_the_certificate(self, lines):
        assert told("stapling-issuer-missing", of(*lines, issued=LEAF)) == [
            '6: httpd finds no issuer for "/etc/ssl/shop.pem" and staples nothing'
        ]

    @pytest.mark.parametrize(
        "chain",
        [
            pytest.param(pem(ROOT), id="a stranger"),
            pytest.param(b"", id="nothing"),
            pytest.param(LEAF, id="the leaf again"),
        ],
    )
    def test_a_file_beside_it_without_the_issuer_is_told(self, chain):
        assert len(told("stapling-issuer-missing", beside(LEAF, chain))) == 1

    def test_what_is_sent_with_a_certificate_is_its_chain(self):
        (found,) = beside(LEAF, pem(AUTHORITY.intermediate.cert, ROOT)).chains.values()

        assert isinstance(found, Chain)
        assert found.issuer == AUTHORITY.intermediate.cert
        assert found.others == (AUTHORITY.intermediate.cert, ROOT)

    @pytest.mark.parametrize("rule", ["chain-incomplete", "issuer-unknown"])
    def test_a_chain_in_a_file_beside_it_is_complete(self, rule):
        assert told(rule, beside(LEAF, INTERMEDIATE)) == []

    def test_a_file_with_the_wrong_intermediate_is_told(self):
        wrong = pem(SHOP.cert, ROOT)

        assert len(told("stapling-issuer-missing", of(ON, issued=wrong))) == 1


class TestWithoutEffect:
    @pytest.mark.parametrize(
        "observed",
        [
            pytest.param(of(base=(LOCAL, NO_ERRORS)), id="for other sites"),
            pytest.param(of(ON, LOCAL), id="stapling is on"),
            pytest.param(of(LOCAL, base=(ON,)), id="stapling is on for all"),
        ],
    )
    def test_is_no_news(self, observed):
        assert told("stapling-line-without-effect", observed) == []

    def test_the_first_line_that_does_nothing_is_told(self):
        observed = of("SSLStaplingResponderTimeout 5", NO_ERRORS, LOCAL)

        assert told("stapling-line-without-effect", observed) == [
            "7: `SSLStaplingResponderTimeout` does nothing here: `SSLUseStapling` is not on"
        ]


def two(one, other, certificate=SHOP_PEM) -> Facts:
    hosts = (vhost(*one), vhost(*other, name="www", certificate=certificate))
    return facts(conf(CACHE, *hosts), {SHOP_PEM: SHOP, BLOG_PEM: BLOG})


class TestTwoWays:
    @pytest.mark.parametrize(
        "observed",
        [
            pytest.param(two((ON,), (ON,)), id="the same"),
            pytest.param(two(OURS, OURS), id="ours twice"),
            pytest.param(two(OURS, (ON,), BLOG_PEM), id="another certificate"),
            pytest.param(two(OURS, ()), id="no stapling in the other"),
            pytest.param(two(OURS, ("MDStapling on",)), id="mod_md in the other"),
            pytest.param(
                two((ON,), (ON, "SSLStaplingFakeTryLater ON", "SSLStaplingResponderTimeout 10")),
                id="the defaults in words",
            ),
        ],
    )
    def test_is_no_news(self, observed):
        assert told("certificate-stapled-in-two-ways", observed) == []

    @pytest.mark.parametrize(
        ("other", "name"),
        [
            pytest.param((ON,), "SSLStaplingForceURL", id="responder"),
            pytest.param(
                (*OURS, "SSLStaplingFakeTryLater on"), "SSLStaplingFakeTryLater", id="flag"
            ),
        ],
    )
    def test_a_difference_is_told_at_the_second_one(self, other, name):
        (line,) = told("certificate-stapled-in-two-ways", two(OURS, other))

        assert line == (
            "18: this and the virtual host at /etc/apache2/apache2.conf:3 share the staple of "
            f"one certificate, and differ in `{name}`"
        )
