"""Which server blocks speak TLS, and what is in effect in them."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from staplecfg.model.site import Origin
from tests.support.nginx_trees import MAIN, read

PAIR = "ssl_certificate a.pem; ssl_certificate_key a.key;"


def site(text: str, **files: str):
    (found,) = read({"nginx.conf": text, **files}).sites
    return found


@pytest.mark.parametrize(
    ("server", "speaks"),
    [
        pytest.param("listen 443 ssl;", True, id="ssl"),
        pytest.param("listen 443 quic;", True, id="quic"),
        pytest.param("listen 80; ssl on;", True, id="ssl on"),
        pytest.param("ssl on;", True, id="ssl on and no listen"),
        pytest.param("ssl ON;", True, id="flags know no case"),
        pytest.param("listen 80; ssl off;", False, id="ssl off"),
        pytest.param("listen 80;", False, id="plain"),
        pytest.param("", False, id="empty block"),
        pytest.param("listen 80; listen 443 ssl;", True, id="both"),
        pytest.param("listen 443 default_server;", False, id="443 is just a number"),
    ],
)
def test_a_site_is_a_block_that_speaks_tls(server: str, *, speaks: bool):
    found = read({"nginx.conf": f"http {{ server {{ {server} }} }}"})

    assert bool(found.sites) is speaks


def test_ssl_said_once_for_an_address_holds_for_every_block_there():
    found = read(
        {
            "nginx.conf": "http { server { listen 443; server_name a; }"
            " server { listen *:443 ssl proxy_protocol; server_name b; }"
            " server { listen 1.2.3.4:443; server_name c; } }"
        }
    )

    assert [each.names for each in found.sites] == [("a",), ("b",)]
    assert all(each.listens[0].proxy_protocol for each in found.sites)


def test_ssl_in_another_context_is_another_address():
    found = read(
        {"nginx.conf": "http { server { listen 443; } } stream { server { listen 443 ssl; } }"}
    )

    assert [each.context for each in found.sites] == ["stream"]


def test_a_block_without_listen_listens_at_port_80():
    (listen,) = site("http { ssl on; server { } }").listens

    assert (listen.host, listen.port, listen.tls) == ("", 80, True)


def test_mail_that_starts_tls_later_is_a_site_whose_ports_are_plain():
    found = site("mail { server { listen 143; starttls on; } }")

    assert found.context == "mail"
    assert [listen.tls for listen in found.listens] == [False]


def test_own_included_and_inherited_settings_know_where_they_are_from():
    found = site(
        f"http {{ {PAIR} ssl_stapling on;"
        " server { listen 443 ssl; include tls; ssl_protocols A; } }",
        tls="ssl_stapling_verify on;\nssl_stapling off;",
    )

    origins = {name: group[-1].origin for name, group in found.settings.items()}
    assert origins == {
        "ssl_certificate": Origin.INHERITED,
        "ssl_certificate_key": Origin.INHERITED,
        "ssl_stapling": Origin.INCLUDED,
        "ssl_stapling_verify": Origin.INCLUDED,
        "listen": Origin.OWN,
        "ssl_protocols": Origin.OWN,
    }
    stapling = found.setting("ssl_stapling")
    assert stapling is not None
    assert stapling.args == ("off",)
    assert str(stapling.location) == "/etc/nginx/tls:2"
    assert stapling.file == PurePosixPath("/etc/nginx/tls")
    assert str(found.certificates[0].location) == f"{MAIN}:1"


def test_what_stands_behind_the_server_block_in_http_is_inherited_too():
    assert (
        site("http { server { listen 443 ssl; } ssl_stapling on; }").value("ssl_stapling") == "on"
    )


def test_a_list_said_in_the_block_replaces_the_inherited_list_whole():
    found = site(
        "http { ssl_certificate x.pem; ssl_certificate y.pem;"
        " server { listen 443 ssl; ssl_certificate a.pem; include more; } }",
        more="ssl_certificate b.pem;",
    )

    assert [each.text for each in found.certificates] == ["a.pem", "b.pem"]


def test_a_server_in_an_included_file_has_own_settings():
    found = site("http { include s; }", s="server { listen 443 ssl; ssl_stapling on; }")
    stapling = found.setting("ssl_stapling")

    assert stapling is not None
    assert stapling.origin is Origin.OWN
    assert not stapling.shared


def test_settings_of_other_blocks_are_not_ours():
    found = site(
        "http { server { listen 443 ssl; location / { ssl_stapling on; } }"
        " upstream u { server x; } }"
    )

    assert set(found.settings) == {"listen"}


def test_lua_in_a_block_is_in_effect():
    found = site("http { server { listen 443 ssl; ssl_certificate_by_lua_block { x() } } }")

    assert found.setting("ssl_certificate_by_lua_block") is not None


@pytest.mark.parametrize(
    ("text", "path"),
    [
        pytest.param("a.pem", "/etc/nginx/a.pem", id="relative to the main file"),
        pytest.param("../ssl/a.pem", "/etc/nginx/../ssl/a.pem", id="links are not ours to guess"),
        pytest.param("/etc/ssl/a.pem", "/etc/ssl/a.pem", id="absolute"),
        pytest.param("/etc/$ssl_server_name.pem", None, id="variable"),
        pytest.param("data:$cert", None, id="data with a variable"),
        pytest.param("data:-----BEGIN", None, id="data"),
        pytest.param("engine:pkcs11:x", None, id="engine"),
    ],
)
def test_a_certificate_is_found_where_nginx_looks(text: str, path: str | None):
    found = site(
        "http { include deep/dir/site; }",
        **{"deep/dir/site": f"server {{ listen 443 ssl; ssl_certificate {text}; }}"},
    )

    (certificate,) = found.certificates
    assert certificate.text == text
    assert certificate.path == (None if path is None else PurePosixPath(path))


SHARED = {
    "one block": ("server { listen 1 ssl; include t; }", False),
    "two blocks": ("server { listen 1 ssl; include t; } server { include t; }", True),
    "by way of another": ("server { listen 1 ssl; include t; } server { include via; }", True),
    "also in a location": (
        "server { listen 1 ssl; include t; } server { location / { include t; } }",
        True,
    ),
}


@pytest.mark.parametrize(("servers", "shared"), SHARED.values(), ids=SHARED)
def test_a_file_read_for_other_blocks_too_is_shared(servers: str, *, shared: bool):
    found = read(
        {"nginx.conf": f"http {{ {servers} }}", "t": "ssl_stapling on;", "via": "include t;"}
    )

    stapling = found.sites[0].setting("ssl_stapling")
    assert stapling is not None
    assert stapling.shared is shared


def test_what_two_blocks_inherit_is_shared():
    one = "http { ssl_stapling on; server { listen 1 ssl; } }"
    two = "http { ssl_stapling on; server { listen 1 ssl; } server { listen 2; } }"

    assert [
        read({"nginx.conf": text}).sites[0].settings["ssl_stapling"][0].shared
        for text in (one, two)
    ] == [
        False,
        True,
    ]


def test_a_block_read_in_two_contexts_is_two_sites_that_share_it():
    found = read(
        {
            "nginx.conf": "http { include s; } stream { include s; }",
            "s": "server { listen 443 ssl; ssl_stapling on; }",
        }
    )

    assert [each.context for each in found.sites] == ["http", "stream"]
    assert all(each.settings["ssl_stapling"][0].shared for each in found.sites)


def test_names_are_those_configured_in_order():
    found = site(
        'http { server { listen 443 ssl; server_name b.example "" *.a.example;'
        " server_name ~^x$; } }"
    )

    assert found.names == ("b.example", "", "*.a.example", "~^x$")
    assert found.title == "b.example"


def test_the_main_context_is_read_with_its_includes():
    found = read({"nginx.conf": "user www; include m; events {} http {}", "m": "pid /run/x.pid;"})

    assert {name: group[0].args for name, group in found.globals.items()} == {
        "user": ("www",),
        "pid": ("/run/x.pid",),
    }
    assert found.globals["pid"][0].origin is Origin.INCLUDED


def test_http_itself_may_be_included():
    assert (
        len(read({"nginx.conf": "include h;", "h": "http { server { listen 1 ssl; } }"}).sites) == 1
    )


def test_an_address_nginx_cannot_listen_at_is_found():
    found = read({"nginx.conf": "http {\nserver {\nlisten 99999 ssl;\nlisten 443 ssl; } }"})

    (finding,) = found.findings
    assert finding.rule == "listen-invalid"
    assert str(finding.location) == f"{MAIN}:3"
    assert [listen.port for listen in found.sites[0].listens] == [443]
