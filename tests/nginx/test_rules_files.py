"""nginx's own rules about files: whom they trust, who shares, writes and includes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from staplecfg.model.settings import Settings
from staplecfg.servers.nginx.delivery_file import DELIVERY
from tests.support.authority import Authority, pem
from tests.support.facts import (
    AUTHORITY,
    BLOG,
    SHOP,
    SHOP_PEM,
    STATE,
    facts,
    findings,
    hints,
    http,
    server,
    told,
)

if TYPE_CHECKING:
    from staplecfg.model.facts import Facts

ON = "ssl_stapling on;"
OTHER = Authority.create("Other")
CLIENTS, STRANGERS = pem(OTHER.root.cert), pem(AUTHORITY.root.cert)
BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
SITE = server()


def of(*lines, files=None, **more) -> Facts:
    return facts(http(server(*lines)), {SHOP_PEM: SHOP, **(files or {})}, **more)


def asking(*lines, clients=CLIENTS, trusted=CLIENTS) -> Facts:
    given = {"/etc/nginx/clients.pem": clients, "/etc/nginx/trusted.pem": trusted}
    return of(*lines, files={path: data for path, data in given.items() if data is not None})


CLIENT = "ssl_client_certificate clients.pem;"
TRUSTED = "ssl_trusted_certificate trusted.pem;"
VERIFY = "ssl_verify_client on;"


class TestClientVerify:
    @pytest.mark.parametrize(
        "observed",
        [
            pytest.param(asking(VERIFY, CLIENT, trusted=STRANGERS), id="no trusted file"),
            pytest.param(asking(CLIENT, TRUSTED, trusted=STRANGERS), id="clients are not asked"),
            pytest.param(
                asking("ssl_verify_client off;", CLIENT, TRUSTED, trusted=STRANGERS), id="off"
            ),
            pytest.param(
                asking("ssl_verify_client optional_no_ca;", CLIENT, TRUSTED, trusted=STRANGERS),
                id="nobody is believed",
            ),
            pytest.param(asking(VERIFY, CLIENT, TRUSTED), id="the same authorities"),
            pytest.param(
                asking(VERIFY, CLIENT, TRUSTED, trusted=CLIENTS.replace(b"\n", b"\r\n")),
                id="the same with CRLF",
            ),
            pytest.param(
                asking(VERIFY, CLIENT, TRUSTED, clients=CLIENTS + STRANGERS), id="fewer than those"
            ),
            pytest.param(asking(VERIFY, CLIENT, TRUSTED, trusted=b""), id="an empty file"),
            pytest.param(asking(VERIFY, TRUSTED, trusted=STRANGERS), id="the only list there is"),
        ],
    )
    def test_is_no_news(self, observed):
        assert told("client-verify-trusts-trusted-certificate", observed) == []

    @pytest.mark.parametrize("how", ["on", "optional", "ON"])
    def test_strangers_that_get_in_are_told_at_the_trusted_file(self, how):
        lines = (f"ssl_verify_client {how};", CLIENT, TRUSTED)

        observed = asking(*lines, trusted=CLIENTS + STRANGERS)

        assert told("client-verify-trusts-trusted-certificate", observed) == [
            (
                "9: client certificates of one authority more than "
                "`ssl_client_certificate` has are accepted"
            )
        ]

    def test_how_many_is_told(self):
        trusted = STRANGERS + pem(AUTHORITY.intermediate.cert)

        (line,) = told(
            "client-verify-trusts-trusted-certificate",
            asking(VERIFY, CLIENT, TRUSTED, trusted=trusted),
        )

        assert "of 2 authorities more" in line

    def test_an_inherited_trusted_file_counts(self):
        text = http("ssl_trusted_certificate trusted.pem;", server(VERIFY, CLIENT))
        files = {"/etc/nginx/clients.pem": CLIENTS, "/etc/nginx/trusted.pem": STRANGERS}

        observed = facts(text, {SHOP_PEM: SHOP, **files})

        assert len(told("client-verify-trusts-trusted-certificate", observed)) == 1

    @pytest.mark.parametrize("lacking", ["clients", "trusted"])
    def test_a_file_that_cannot_be_read_is_not_taken_for_safe(self, lacking):
        observed = asking(VERIFY, CLIENT, TRUSTED, **{lacking: None})

        assert told("client-verify-trusts-trusted-certificate", observed) == [
            (
                "9: cannot tell whether this file lets strangers' clients in: "
                f"/etc/nginx/{lacking}.pem: no such file"
            )
        ]


class TestBundle:
    @pytest.mark.parametrize(
        "observed",
        [
            pytest.param(of(), id="no trusted file"),
            pytest.param(of(TRUSTED), id="one of its own"),
            pytest.param(of('ssl_trusted_certificate "";'), id="none in words"),
            pytest.param(of(f"ssl_trusted_certificate {BUNDLE};", version=(1, 27, 2)), id="new"),
        ],
    )
    def test_is_no_news(self, observed):
        assert told("trusted-certificate-system-bundle", observed) == []

    @pytest.mark.parametrize("version", [(1, 22, 1), (1, 27, 1), ()], ids=str)
    def test_the_bundle_is_told(self, version):
        observed = of(f"ssl_trusted_certificate {BUNDLE};", version=version)

        assert told("trusted-certificate-system-bundle", observed) == [
            "7: all the system's roots are read and kept for one server block"
        ]

    def test_one_line_for_many_blocks_is_told_once_with_their_number(self):
        text = http(f"ssl_trusted_certificate {BUNDLE};", SITE, server(name="www"))

        assert told("trusted-certificate-system-bundle", facts(text, {SHOP_PEM: SHOP})) == [
            "3: all the system's roots are read and kept for each of 2 server blocks"
        ]


SNIPPET = "/etc/nginx/tls.conf"


def including(content, *sites) -> Facts:
    return facts(http(*(sites or (server("include tls.conf;"),))), {SHOP_PEM: SHOP, **content})


class TestShared:
    @pytest.mark.parametrize(
        "observed",
        [
            pytest.param(of(ON), id="in the block"),
            pytest.param(facts(http(ON, SITE, server(name="www")), {SHOP_PEM: SHOP}), id="in http"),
            pytest.param(including({SNIPPET: ON.encode()}), id="included once"),
            pytest.param(
                including(
                    {SNIPPET: b"ssl_protocols TLSv1.3;"},
                    server("include tls.conf;"),
                    server("include tls.conf;", name="www"),
                ),
                id="shared, and not about stapling",
            ),
            pytest.param(
                including(
                    {f"{STATE}/k/staple.conf": b"ssl_stapling_responder http://127.0.0.1:1/;"},
                    server(f"include {STATE}/k/*.conf;"),
                    server(f"include {STATE}/k/*.conf;", name="www"),
                ),
                id="our own state",
            ),
        ],
    )
    def test_is_no_news(self, observed):
        assert told("shared-file", observed) == []

    def test_a_shared_line_is_told_once(self):
        sites = (server("include tls.conf;"), server("include tls.conf;", name="www"))

        assert told("shared-file", including({SNIPPET: b"\nssl_stapling on;\n"}, *sites)) == [
            "/etc/nginx/tls.conf:2: `ssl_stapling on` stands in a file that other sites include too"
        ]


class TestGenerated:
    @pytest.mark.parametrize(
        "observed",
        [
            pytest.param(of(ON), id="written by hand"),
            pytest.param(including({SNIPPET: b"# ansible managed\n"}), id="no site opens in it"),
            pytest.param(
                facts(
                    "# ansible managed\n" + http(SITE),
                    {SHOP_PEM: SHOP},
                    settings=Settings(force=True),
                ),
                id="forced",
            ),
        ],
    )
    def test_is_no_news(self, observed):
        assert told("generated-file", observed) == []

    def test_a_file_that_something_writes_anew_is_told_with_the_way_out(self):
        observed = facts("# Ansible managed\n" + http(SITE), {SHOP_PEM: SHOP})

        (finding,) = findings("generated-file", observed)

        assert finding.problem == "Ansible writes this file anew, and would undo an edit"
        assert finding.hint is not None
        assert "--force" in finding.hint


class TestTrouble:
    @pytest.mark.parametrize(
        "observed",
        [
            pytest.param(of(ON), id="all is read"),
            pytest.param(of("include /etc/nginx/none/*.conf;"), id="a pattern without a match"),
            pytest.param(
                facts("# ansible managed\n" + http(SITE), {SHOP_PEM: SHOP}), id="generated"
            ),
        ],
    )
    def test_is_no_news(self, observed):
        assert told("configuration-trouble", observed) == []

    @pytest.mark.parametrize(
        ("content", "place"),
        [
            pytest.param({}, "7: includes /etc/nginx/tls.conf", id="missing"),
            pytest.param({SNIPPET: b"a {"}, "/etc/nginx/tls.conf", id="not understood"),
            pytest.param({SNIPPET: b"include tls.conf;"}, "/etc/nginx/tls.conf:1", id="a circle"),
        ],
    )
    def test_what_cannot_be_read_is_told_once(self, content, place):
        (line,) = told("configuration-trouble", including(content))

        assert line.startswith(place)


class TestDisagreement:
    @pytest.mark.parametrize(
        "observed",
        [
            pytest.param(of(ON, "location ~ ^/[a-z] {", "}"), id="plain"),
            pytest.param(of('add_header A "b;c";'), id="quoted"),
            pytest.param(including({SNIPPET: b"a {"}), id="what cannot be read is told elsewhere"),
        ],
    )
    def test_is_no_news(self, observed):
        assert told("readers-disagree", observed) == []

    def test_a_file_they_read_differently_is_told_with_its_line(self):
        lines = told("readers-disagree", of("add_header A b\x0bc;"))

        assert len(lines) == 1
        assert lines[0].startswith("7: ")


KEY = DELIVERY.key(of().configuration.sites[0])
OURS = f"include {STATE}/{KEY}/*.conf;"
STALE = f"include {STATE}/etc-old-00000000/*.conf;"
NEUTRAL = b"ssl_stapling_responder http://127.0.0.1:1/;\n"


class TestState:
    @pytest.mark.parametrize(
        "observed",
        [
            pytest.param(of(), id="no include"),
            pytest.param(of("include /etc/nginx/extra/*.conf;"), id="somebody's pattern"),
            pytest.param(of(ON, OURS, files={f"{STATE}/{KEY}/staple.conf": NEUTRAL}), id="ours"),
        ],
    )
    @pytest.mark.parametrize("rule", ["include-without-state", "site-key-mismatch"])
    def test_is_no_news(self, rule, observed):
        assert told(rule, observed) == []

    @pytest.mark.parametrize(
        "files",
        [
            pytest.param({}, id="no directory"),
            pytest.param({f"{STATE}/{KEY}/staple.conf.old": NEUTRAL}, id="another name"),
            pytest.param({f"{STATE}/{KEY}/.staple.conf": NEUTRAL}, id="a hidden file"),
        ],
    )
    def test_an_include_that_matches_nothing_is_told(self, files):
        observed = of(ON, OURS, files=files)

        assert told("include-without-state", observed) == [
            f'8: nothing matches "{STATE}/{KEY}/*.conf": nginx is not told of any staple'
        ]
        assert hints("include-without-state", observed) == ["run staplecfg warm"]
        assert told("site-key-mismatch", observed) == []

    def test_the_key_of_other_certificates_is_told(self):
        observed = of(ON, STALE, files={f"{STATE}/etc-old-00000000/staple.conf": NEUTRAL})

        assert told("site-key-mismatch", observed) == [
            (
                '8: this includes the staple of "etc-old-00000000"; '
                f'the certificates of this block make it "{KEY}"'
            )
        ]
        assert hints("site-key-mismatch", observed) == ["run staplecfg apply"]
        assert told("include-without-state", observed) == []

    def test_a_line_copied_into_another_block_is_told_there(self):
        other = server(OURS, certificate="/etc/ssl/blog.pem", name="blog.example")
        files = {SHOP_PEM: SHOP, "/etc/ssl/blog.pem": BLOG}
        observed = facts(
            http(server(OURS), other), {**files, f"{STATE}/{KEY}/staple.conf": NEUTRAL}
        )

        (finding,) = findings("site-key-mismatch", observed)

        assert finding.site == "blog.example"
