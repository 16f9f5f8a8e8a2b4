"""nginx's own rules about what is on, what is off, and what does nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from staplecfg.model.settings import Responders, Settings
from tests.support.authority import Authority, pem
from tests.support.facts import (
    AUTHORITY,
    BLOG,
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
    staple,
    told,
)

if TYPE_CHECKING:
    from staplecfg.model.facts import Facts

ON = "ssl_stapling on;"
OFF = "ssl_stapling off;"
FILE = "ssl_stapling_file shop.der;"
BLOG_PEM = "/etc/ssl/blog.pem"
OURS = (ON, f"include {STATE}/k/*.conf;")
SNIPPET = f"{STATE}/k/staple.conf"
NAMING = f"ssl_stapling_file {STATE}/staples/s.der;".encode()
WITHDRAWN = b"ssl_stapling_responder http://127.0.0.1:1/;\n"
FOREIGN = Authority.create("Other").leaf(["shop.example"], responders=["http://ocsp.example/"])
EXPIRED = AUTHORITY.leaf(responders=["http://o.example/"], not_after=NOW - timedelta(days=1))
UNASKED = Settings(responders=Responders(override={"http://ocsp.example/": ""}))
VARIABLE = "/etc/ssl/$ssl_server_name.pem"


def of(*lines, issued=SHOP, files=None, **more) -> Facts:
    contents = {SHOP_PEM: issued, **(files or {})}
    site = {key: more.pop(key) for key in ("certificate", "listen") if key in more}
    context = more.pop("context", "http")
    return facts(http(server(*lines, **site), context=context), contents, **more)


class TestOff:
    @pytest.mark.parametrize(
        "observed",
        [
            pytest.param(of(ON), id="on"),
            pytest.param(of("ssl_stapling ON;"), id="on in capitals"),
            pytest.param(of(OFF), id="off by decision"),
            pytest.param(of(*OURS), id="ours"),
            pytest.param(of(issued=PLAIN), id="nothing to staple"),
            pytest.param(of(issued=pem(SHOP.cert)), id="issuer not known"),
            pytest.param(of(issued=EXPIRED), id="expired"),
            pytest.param(of(issued=b""), id="no certificate"),
            pytest.param(of(settings=UNASKED), id="nobody may be asked"),
            pytest.param(of(certificate=VARIABLE), id="a variable"),
            pytest.param(of(listen="80"), id="no TLS"),
            pytest.param(of("ssl_reject_handshake on;"), id="every handshake rejected"),
            pytest.param(
                of("ssl_certificate_compression on;", version=(1, 31, 0)), id="in the way"
            ),
            pytest.param(of(FILE, context="stream"), id="stream of old"),
            pytest.param(facts(http(ON, server()), {SHOP_PEM: SHOP}), id="on for all of http"),
        ],
    )
    def test_is_no_news(self, observed):
        assert told("stapling-off", observed) == []

    def test_a_site_that_could_staple_is_told_at_its_block(self):
        assert told("stapling-off", of()) == ["3: shop.example could staple and does not"]
        assert hints("stapling-off", of()) == ["run staplecfg apply"]

    def test_stream_is_told_from_1_27_2_on(self):
        observed = of(context="stream", version=(1, 27, 2))

        assert len(told("stapling-off", observed)) == 1

    def test_another_delivery_is_not_held_up_by_what_the_file_minds(self):
        observed = of(
            f"ssl_certificate {BLOG_PEM};",
            files={BLOG_PEM: BLOG},
            settings=Settings(delivery="responder"),
        )

        assert len(told("stapling-off", observed)) == 1


class TestMisfit:
    @pytest.mark.parametrize(
        "observed",
        [
            pytest.param(of(), id="it fits"),
            pytest.param(of(OFF), id="off by decision"),
            pytest.param(of(ON, FILE), id="somebody's file"),
            pytest.param(
                of(f"ssl_certificate {BLOG_PEM};", files={BLOG_PEM: BLOG}),
                id="two that one response may be about",
            ),
            pytest.param(
                of(
                    f"ssl_certificate {BLOG_PEM};",
                    "ssl_stapling_responder http://127.0.0.1:889/;",
                    files={BLOG_PEM: FOREIGN},
                ),
                id="two that ask the local responder",
            ),
            pytest.param(of("ssl_certificate_compression on;", issued=PLAIN), id="no responder"),
            pytest.param(of("ssl_reject_handshake on;"), id="every handshake rejected"),
            pytest.param(
                of(
                    f"ssl_certificate {BLOG_PEM};",
                    files={BLOG_PEM: BLOG},
                    settings=Settings(delivery="responder"),
                ),
                id="another delivery",
            ),
        ],
    )
    def test_is_no_news(self, observed):
        assert told("delivery-misfit", observed) == []

    @pytest.mark.parametrize(
        ("lines", "files", "line"),
        [
            pytest.param(("ssl_certificate_compression on;",), {}, "7: ", id="compression"),
            pytest.param((f"ssl_certificate {BLOG_PEM};",), {BLOG_PEM: FOREIGN}, "7: ", id="two"),
        ],
    )
    def test_what_is_in_the_way_is_told_where_it_stands(self, lines, files, line):
        (problem,) = told("delivery-misfit", of(*lines, files=files, version=(1, 31, 0)))

        assert problem.startswith(line)


class TestLazyGap:
    @pytest.mark.parametrize(
        "observed",
        [
            pytest.param(of(), id="off"),
            pytest.param(of(ON, FILE), id="a file"),
            pytest.param(of(*OURS, files={SNIPPET: NAMING}), id="our file"),
            pytest.param(of(*OURS, files={SNIPPET: WITHDRAWN}), id="withdrawn by us"),
            pytest.param(of(ON, issued=PLAIN), id="nothing to fetch"),
            pytest.param(of(ON, certificate=VARIABLE), id="a variable"),
            pytest.param(of(ON, "ssl_stapling_responder http://127.0.0.1:88/;"), id="local"),
            pytest.param(of(ON, "ssl_stapling_responder http://unix:/run/o:/;"), id="unix"),
            pytest.param(of(ON, context="stream"), id="stream of old does not start"),
            pytest.param(of(ON, "ssl_reject_handshake on;"), id="no handshake is let through"),
        ],
    )
    def test_is_no_news(self, observed):
        assert told("lazy-gap", observed) == []

    def test_mail_neither_fetches_nor_looks_up(self):
        observed = of(ON, context="mail")

        assert told("lazy-gap", observed) == []
        assert told("resolver-missing", observed) == []

    @pytest.mark.parametrize(
        "observed",
        [
            pytest.param(of(ON), id="the certificate's responder"),
            pytest.param(of(ON, "ssl_stapling_responder http://o.example/;"), id="one in words"),
            pytest.param(of(ON, 'ssl_stapling_file "";'), id="a file that is none"),
            pytest.param(of(*OURS), id="our line without state"),
        ],
    )
    def test_nginx_fetching_by_itself_is_told(self, observed):
        assert told("lazy-gap", observed) == [
            "7: nginx fetches this staple itself: the first handshakes of each worker go without"
        ]

    def test_a_certificate_that_demands_a_staple_is_said_to(self):
        (line,) = told("lazy-gap", of(ON, issued=STRICT))

        assert line.endswith("and this certificate demands one (Must-Staple)")


class TestFileWithoutStapling:
    @pytest.mark.parametrize(
        "lines",
        [
            pytest.param((), id="neither"),
            pytest.param((ON,), id="stapling alone"),
            pytest.param((ON, FILE), id="both"),
            pytest.param((FILE, ON), id="both, the other way round"),
            pytest.param((OFF, 'ssl_stapling_file "";'), id="a file that is none"),
        ],
    )
    def test_is_no_news(self, lines):
        assert told("stapling-file-without-stapling", of(*lines)) == []

    @pytest.mark.parametrize(
        ("lines", "expected"),
        [
            pytest.param(
                (FILE,),
                "7: `ssl_stapling_file` does nothing here: `ssl_stapling` is not on",
                id="no word about stapling",
            ),
            pytest.param(
                (OFF, FILE),
                "8: `ssl_stapling_file` does nothing here: `ssl_stapling` is not on "
                "(/etc/nginx/nginx.conf:7)",
                id="off",
            ),
        ],
    )
    def test_a_file_that_is_never_opened_is_told(self, lines, expected):
        assert told("stapling-file-without-stapling", of(*lines)) == [expected]


class TestInheritedFile:
    @pytest.mark.parametrize(
        "parts",
        [
            pytest.param((ON, server(FILE), server(certificate=BLOG_PEM)), id="in one block"),
            pytest.param((ON, FILE, server(), server(name="www")), id="one certificate"),
            pytest.param((FILE, server(), server(certificate=BLOG_PEM)), id="stapling is off"),
            pytest.param(
                (ON, FILE, server(), server('ssl_stapling_file "";', certificate=BLOG_PEM)),
                id="un-inherited",
            ),
            pytest.param((ON, FILE, server(), server(OFF, certificate=BLOG_PEM)), id="off there"),
            pytest.param((ON, server(), server(certificate=BLOG_PEM)), id="no file"),
        ],
    )
    def test_is_no_news(self, parts):
        observed = facts(http(*parts), {SHOP_PEM: SHOP, BLOG_PEM: BLOG})

        assert told("stapling-file-inherited", observed) == []

    def test_one_file_for_several_certificates_is_told_once_at_its_line(self):
        parts = (ON, FILE, server(), server(certificate=BLOG_PEM), server(name="www"))

        observed = facts(http(*parts), {SHOP_PEM: SHOP, BLOG_PEM: BLOG})

        assert told("stapling-file-inherited", observed) == [
            '4: the staple "shop.der" is served with 2 different certificates'
        ]


class TestNotOurs:
    @pytest.mark.parametrize(
        "observed",
        [
            pytest.param(of(ON), id="no file"),
            pytest.param(of(FILE), id="never opened"),
            pytest.param(of(*OURS, files={SNIPPET: NAMING}), id="ours"),
            pytest.param(of(ON, 'ssl_stapling_file "";'), id="a file that is none"),
        ],
    )
    def test_is_no_news(self, observed):
        assert told("staple-file-not-ours", observed) == []

    def test_a_file_of_somebody_else_is_told(self):
        observed = of(ON, FILE)

        assert told("staple-file-not-ours", observed) == [
            '8: the staple "/etc/nginx/shop.der" is written by something else; it is only checked'
        ]
        assert hints("staple-file-not-ours", observed) == [
            "run staplecfg apply --adopt --site shop.example"
        ]


class TestVariable:
    @pytest.mark.parametrize(
        "observed",
        [
            pytest.param(of(ON), id="a file"),
            pytest.param(of(ON, issued=b""), id="a bad file"),
            pytest.param(of(certificate=VARIABLE), id="no stapling"),
            pytest.param(of(OFF, certificate=VARIABLE), id="off"),
        ],
    )
    def test_is_no_news(self, observed):
        assert told("variable-certificate", observed) == []

    @pytest.mark.parametrize(
        ("certificate", "kind"),
        [
            pytest.param(VARIABLE, "a variable", id="in a path"),
            pytest.param("$acme_certificate", "a variable", id="nginx-acme"),
            pytest.param("data:$pem", "`data:`", id="data"),
        ],
    )
    def test_stapling_that_never_happens_is_told(self, certificate, kind):
        assert told("variable-certificate", of(ON, certificate=certificate)) == [
            (
                f"6: `ssl_certificate` holds {kind}: nginx never staples for it, "
                "though `ssl_stapling` is on"
            )
        ]


COMPRESSED = "ssl_certificate_compression on;"


class TestCompression:
    @pytest.mark.parametrize(
        ("lines", "version"),
        [
            pytest.param((ON,), (1, 31, 0), id="stapling alone"),
            pytest.param((COMPRESSED,), (1, 31, 0), id="compression alone"),
            pytest.param((ON, "ssl_certificate_compression off;"), (1, 31, 0), id="off"),
            pytest.param((OFF, COMPRESSED), (1, 31, 0), id="stapling off"),
            pytest.param((ON, COMPRESSED), (1, 29, 2), id="the last version to take both"),
        ],
    )
    def test_is_no_news(self, lines, version):
        assert told("compression-conflict", of(*lines, version=version)) == []

    @pytest.mark.parametrize(
        "version", [pytest.param((1, 29, 3), id="1.29.3"), pytest.param((), id="not known")]
    )
    def test_both_are_told_at_the_compression(self, version):
        assert told("compression-conflict", of(ON, COMPRESSED, version=version)) == [
            "8: nginx 1.29.3 and later refuse compression and `ssl_stapling on` together"
        ]


class TestResponderDirective:
    @pytest.mark.parametrize(
        "lines",
        [
            pytest.param((ON,), id="none"),
            pytest.param((ON, "ssl_stapling_responder http://o/;"), id="http"),
            pytest.param((ON, "ssl_stapling_responder HTTP://o/;"), id="capitals"),
            pytest.param((OFF, "ssl_stapling_responder https://o/;"), id="off"),
            pytest.param((ON, FILE, "ssl_stapling_responder https://o/;"), id="a file wins"),
        ],
    )
    def test_is_no_news(self, lines):
        assert told("responder-directive-https", of(*lines)) == []

    @pytest.mark.parametrize("url", ["https://o.example/", "o.example"])
    def test_an_address_nginx_ignores_is_told(self, url):
        assert told("responder-directive-https", of(ON, f"ssl_stapling_responder {url};")) == [
            f'8: nginx asks http responders only and ignores stapling for "{url}"'
        ]


class TestContexts:
    @pytest.mark.parametrize(
        "observed",
        [
            pytest.param(of(ON), id="http"),
            pytest.param(of(ON, context="stream"), id="stream"),
            pytest.param(of(context="mail", issued=PLAIN), id="mail with nothing to staple"),
        ],
    )
    def test_mail_is_no_news_elsewhere(self, observed):
        assert told("stapling-in-mail", observed) == []

    def test_mail_is_told(self):
        assert told("stapling-in-mail", of(context="mail")) == ["3: nginx cannot staple for mail"]

    @pytest.mark.parametrize(
        "observed",
        [
            pytest.param(of(context="stream"), id="no stapling"),
            pytest.param(of(ON, context="stream", version=(1, 27, 2)), id="new enough"),
            pytest.param(of(ON, context="stream", version=()), id="version not known"),
            pytest.param(of(ON), id="http"),
        ],
    )
    def test_stream_is_no_news_where_it_works(self, observed):
        assert told("stream-stapling-version", observed) == []

    @pytest.mark.parametrize("line", [ON, OFF, FILE, "ssl_stapling_verify on;"])
    def test_a_directive_that_an_old_stream_does_not_know_is_told(self, line):
        name = line.partition(" ")[0]

        assert told("stream-stapling-version", of(line, context="stream")) == [
            f"7: `{name}` in stream needs nginx 1.27.2; this is 1.22.1"
        ]


VERIFY = "ssl_stapling_verify on;"
DELEGATED = staple(SHOP, responder_expires=NOW + timedelta(days=30))
LEAF_ALONE = {"issued": pem(SHOP.cert), "roots": [AUTHORITY.intermediate.cert]}
"""The issuer is known, for it was handed in, and not where nginx looks."""


class TestVerify:
    @pytest.mark.parametrize(
        "observed",
        [
            pytest.param(of(ON, VERIFY), id="leaf and intermediate"),
            pytest.param(of(ON, **LEAF_ALONE), id="leaf alone, not verified"),
            pytest.param(of(ON, "ssl_stapling_verify off;", **LEAF_ALONE), id="verify off"),
            pytest.param(of(ON, VERIFY, FILE, **LEAF_ALONE), id="a file is not verified"),
            pytest.param(of(VERIFY, **LEAF_ALONE), id="stapling off"),
            pytest.param(of(ON, VERIFY, issued=pem(SHOP.cert)), id="issuer not known"),
            pytest.param(of(ON, VERIFY, issued=PLAIN), id="nothing to verify"),
            pytest.param(of(ON, VERIFY, stored={SHOP: staple(SHOP)}), id="the issuer signs"),
            pytest.param(
                of(ON, VERIFY, "ssl_trusted_certificate ca.pem;", stored={SHOP: DELEGATED}),
                id="a delegate signs, and there is a trusted file",
            ),
        ],
    )
    def test_is_no_news(self, observed):
        assert told("stapling-verify-untrusted", observed) == []

    @pytest.mark.parametrize(
        "trusted", [(), ("ssl_trusted_certificate intermediate.pem;",)], ids=["none", "trusted"]
    )
    def test_a_leaf_alone_is_told_for_no_trusted_file_helps(self, trusted):
        assert told("stapling-verify-untrusted", of(ON, VERIFY, *trusted, **LEAF_ALONE)) == [
            (
                '8: nginx will not staple: "/etc/ssl/shop.pem" does not hold the issuer, '
                "who signs the responses about it"
            )
        ]

    def test_a_delegate_without_its_root_is_told(self):
        assert told("stapling-verify-untrusted", of(ON, VERIFY, stored={SHOP: DELEGATED})) == [
            (
                "8: nginx will not staple: a delegate signs the responses about "
                '"/etc/ssl/shop.pem", '
                "and no `ssl_trusted_certificate` holds its root"
            )
        ]
