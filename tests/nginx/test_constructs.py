"""The constructs of real configurations that have broken other tools, each in a form of ours."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from staplecfg.model.edit import apply_edits
from staplecfg.model.errors import NotUnderstood
from staplecfg.model.site import Origin
from staplecfg.servers.nginx import place
from staplecfg.servers.nginx.compare import disagreement
from staplecfg.servers.nginx.scan import scan, walk
from tests.support.nginx_trees import read, server_blocks

PATH = PurePosixPath("/etc/nginx/nginx.conf")
ON = (("ssl_stapling", "on"),)


def edited(text: str | bytes) -> bytes:
    data = text.encode() if isinstance(text, str) else text
    return apply_edits(data, place.insert(data, server_blocks(data)[0], ON))


def test_01_comments_between_the_arguments_of_a_resolver():
    text = "resolver\n  # near\n  192.0.2.1 192.0.2.2\n  # far\n  198.51.100.1\n  valid=60s;\n"

    (resolver,) = scan(text.encode(), PATH)

    assert resolver.args == ("192.0.2.1", "192.0.2.2", "198.51.100.1", "valid=60s")
    assert disagreement(text.encode(), PATH) is None


def test_02_stapling_and_certificate_only_in_an_included_file():
    (site,) = read(
        {
            "nginx.conf": "http { server { listen 443 ssl; include tls/policy.conf; } }",
            "tls/policy.conf": "ssl_certificate a.pem; ssl_certificate_key a.key; ssl_stapling on;",
        }
    ).sites

    stapling = site.setting("ssl_stapling")
    assert stapling is not None
    assert stapling.origin is Origin.INCLUDED
    assert site.certificates[0].path == PurePosixPath("/etc/nginx/a.pem")


def test_03_a_bare_server_block_is_a_whole_file():
    (site,) = read(
        {"nginx.conf": "http { include s/*; }", "s/a": "server { listen 443 ssl; }"}
    ).sites

    assert site.file == PurePosixPath("/etc/nginx/s/a")
    assert site.context == "http"


def test_04_a_link_and_its_target_are_both_included():
    found = read(
        {
            "nginx.conf": "http { include on/*; include all/a; }",
            "all/a": "server { listen 1 ssl; }",
        },
        {"/etc/nginx/on/a": "../all/a"},
    )

    assert [site.file for site in found.sites] == [PurePosixPath("/etc/nginx/all/a")]


def test_05_the_certificate_is_inherited_and_the_line_goes_behind_the_listen():
    text = "http {\n  ssl_certificate a;\n  server {\n    listen 443 ssl;\n    root /x;\n  }\n}\n"
    (site,) = read({"nginx.conf": text}).sites

    assert site.settings["ssl_certificate"][0].origin is Origin.INHERITED
    assert b"    listen 443 ssl;\n    ssl_stapling on;\n    root" in edited(text)


def test_06_two_pairs_and_the_line_goes_behind_the_last():
    text = (
        "server {\n  ssl_certificate r.pem;\n  ssl_certificate_key r.key;\n"
        "  ssl_certificate e.pem;\n  ssl_certificate_key e.key;\n}\n"
    )

    assert b"e.key;\n  ssl_stapling on;\n}" in edited(text)


def test_07_certificates_only_the_server_can_name():
    (site,) = read(
        {
            "nginx.conf": "http { server { listen 443 ssl;"
            " ssl_certificate /c/$ssl_server_name; ssl_certificate data:$pem; } }"
        }
    ).sites

    assert [each.path for each in site.certificates] == [None, None]


def test_08_a_braced_variable_and_then_an_argument():
    data = b"log_format a ${b} c;"

    assert scan(data, PATH)[0].args == ("a", "${b}", "c")
    assert disagreement(data, PATH) is not None


def test_09_a_no_break_space_as_indentation_is_refused():
    with pytest.raises(NotUnderstood, match="blank"):
        scan("server {\n\u00a0\u00a0listen 443 ssl;\n}".encode(), PATH)


def test_10_glued_blocks_and_quoted_names():
    data = b"'http'{\"server\"\n{listen 443 ssl;}server\n{}}events{}"

    assert [each.name for each in walk(scan(data, PATH))] == [
        "http",
        "server",
        "listen",
        "server",
        "events",
    ]
    assert disagreement(edited(data), PATH) is None


def test_11_delimiters_and_code_inside_quotes():
    data = b"server {\n  add_header A 'x; } server {\n  listen 443 ssl;\n';\n  listen 80;\n}\n"

    (server,) = server_blocks(data)
    assert server.block is not None
    assert [each.name for each in server.block.children] == ["add_header", "listen"]
    assert edited(data).endswith(b"  listen 80;\n  ssl_stapling on;\n}\n")


def test_12_repetitions_in_a_regex_need_quotes():
    quoted = b'server { location ~ "^/[0-9]{3}$" { return 404; } }'
    bare = b"server { location ~ ^/[0-9]{3}$ { return 404; } }"

    assert scan(quoted, PATH)[0].block is not None
    with pytest.raises(NotUnderstood, match="never closed"):
        scan(bare, PATH)


def test_13_lua_with_braces_where_lua_allows_them():
    data = (
        b"server {\n  listen 443 ssl;\n  ssl_client_hello_by_lua_block {\n"
        b"    local a = '}' -- }\n  }\n  access_by_lua_block { --[==[ } ]==] }\n}\n"
    )

    (server,) = server_blocks(data)
    assert server.block is not None
    assert [each.name for each in server.block.children][1:] == [
        "ssl_client_hello_by_lua_block",
        "access_by_lua_block",
    ]


def test_14_stream_and_mail_beside_http():
    server = "server { listen 443 ssl; }"
    text = f"http {{ {server} }} stream {{ ssl_stapling on; {server} }} mail {{ {server} }}"

    found = read({"nginx.conf": text})

    assert [site.context for site in found.sites] == ["http", "stream", "mail"]
    assert [site.value("ssl_stapling", "off") for site in found.sites] == ["off", "on", "off"]


def test_15_stapling_everywhere_it_may_stand():
    text = (
        "http {\n ssl_stapling on;\n server {\n  listen 1 ssl;\n  ssl_stapling_file a.der;\n }\n"
        " server {\n  listen 2 ssl;\n  # ssl_stapling_file b.der;\n  ssl_stapling off;\n }\n}\n"
    )

    first, second = read({"nginx.conf": text}).sites

    assert (first.value("ssl_stapling"), first.value("ssl_stapling_file")) == ("on", "a.der")
    assert (second.value("ssl_stapling"), second.setting("ssl_stapling_file")) == ("off", None)


def test_16_quic_the_old_flag_and_rejected_handshakes():
    text = (
        "http { server { listen 443 quic reuseport; http2 on; }"
        " server { listen 8443; ssl on; }"
        " server { listen 444 ssl default_server; ssl_reject_handshake on; } }"
    )

    quic, old, rejecting = read({"nginx.conf": text}).sites

    assert quic.listens[0].quic
    assert old.listens[0].tls
    assert rejecting.listens[0].default_server
    assert rejecting.value("ssl_reject_handshake") == "on"


def test_17_a_missing_semicolon_swallows_what_follows():
    data = b"server {\n  listen 443 ssl\n  # the pair\n  ssl_certificate a;\n}\n"

    (server,) = server_blocks(data)

    assert server.block is not None
    assert [each.words for each in server.block.children] == [
        ("listen", "443", "ssl", "ssl_certificate", "a")
    ]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(
            b"server {\n  # \xe9t\xe9\n  root /\xfc;\n  listen 1 ssl;\n}\n", id="no UTF-8"
        ),
        pytest.param(b"server {\n  listen 1 ssl;\n}", id="no final line feed"),
        pytest.param(b"server {\n  listen 1 ssl;\n}\n# end", id="a comment is last"),
        pytest.param(b"server {\r\n  listen 1 ssl;\r\n}\r\n", id="CRLF"),
        pytest.param(b"server {\n  # a\rroot b;\n  listen 1 ssl;\n}\n", id="lone CR in a comment"),
    ],
)
def test_18_odd_bytes_survive_an_edit(data: bytes):
    after = edited(data)

    assert (
        after.replace(b"  ssl_stapling on;\r\n", b"").replace(b"  ssl_stapling on;\n", b"") == data
    )
    assert disagreement(after, PATH) is None


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\xef\xbb\xbfserver { }", id="BOM"),
        pytest.param(b"# " + b"x" * 5000 + b"\nserver { }", id="comment of 5000 bytes"),
        pytest.param(b"a " + b"x" * 5000 + b";", id="word of 5000 bytes"),
    ],
)
def test_18_what_nginx_refuses_is_refused(data: bytes):
    with pytest.raises(NotUnderstood):
        scan(data, PATH)
