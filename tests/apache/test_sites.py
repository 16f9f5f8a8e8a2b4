"""The virtual hosts that speak TLS: names, certificates, addresses, and what is in effect."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from staplecfg.model.site import Origin
from tests.support.apache_trees import ROOT, at, read


def host(*lines: str, address: str = "*:443", engine: str = "SSLEngine on") -> str:
    body = "".join(f"  {line}\n" for line in (engine, *lines) if line)
    return f"<VirtualHost {address}>\n{body}</VirtualHost>\n"


CERTIFICATE = "SSLCertificateFile /ssl/a.pem"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Listen 443\n",
        host(CERTIFICATE, engine=""),
        host(CERTIFICATE, engine="SSLEngine off"),
        host(CERTIFICATE, engine="SSLEngine optional"),
        host(CERTIFICATE, "SSLEngine off"),
        f"SSLEngine on\n{host(CERTIFICATE, engine='SSLEngine off')}",
        f"Listen 8443\n{host(CERTIFICATE, address='*:8443', engine='')}",
        f"Listen 443 http\n{host(CERTIFICATE, engine='')}",
        f"Listen 127.0.0.1:443\n{host(CERTIFICATE, engine='')}",
        f"Listen 443\n{host('ServerName x', engine='')}",
        "<VirtualHost *:443>\n<Directory /x>\nSSLEngine on\n</Directory>\n</VirtualHost>\n",
        f"{CERTIFICATE}\n",
        "SSLEngine on\n",
    ],
)
def test_what_does_not_speak_tls_is_no_site(text):
    assert read(text).sites == ()


@pytest.mark.parametrize(
    "text",
    [
        host(CERTIFICATE),
        host(engine="sslengine ON"),
        host(CERTIFICATE, engine="SSLEngine off") + host(CERTIFICATE),
        f"SSLEngine on\n{host(CERTIFICATE, engine='')}",
        f"Listen 443\n{host(CERTIFICATE, engine='')}",
        f"Listen 8443 https\n{host(CERTIFICATE, address='*:8443', engine='')}",
        f"Listen 10.0.0.1:443\n{host(CERTIFICATE, address='10.0.0.1:443', engine='')}",
        f"Listen 443\n{CERTIFICATE}\n{host(engine='')}",
    ],
)
def test_what_speaks_tls_is_a_site(text):
    (site,) = read(text).sites

    assert (site.server, site.context, site.block.name) == ("apache", "http", "VirtualHost")


def test_names_are_the_name_and_the_aliases():
    (site,) = read(
        host("ServerName https://a.test:443", "ServerAlias b.test *.c.test", "ServerAlias d.test")
    ).sites

    assert site.names == ("a.test", "b.test", "*.c.test", "d.test")


def test_names_are_not_those_of_the_server_around_it():
    (site,) = read(f"ServerName main.test\n{host()}").sites

    assert site.names == ()
    assert site.title == "/etc/apache2/apache2.conf:2"


def test_certificates_are_its_own_or_else_those_around_it():
    own = host("SSLCertificateFile rsa.pem", "SSLCertificateFile /ec.pem")
    first, second = read(f"SSLCertificateFile base.pem\n{own}{host()}").sites

    assert [str(each.path) for each in first.certificates] == ["/etc/apache2/rsa.pem", "/ec.pem"]
    assert [each.location for each in first.certificates] == [at(4), at(5)]
    assert [each.text for each in second.certificates] == ["base.pem"]


@pytest.mark.parametrize(
    ("around", "own", "expected"),
    [
        (["a", "b"], ["x"], ["x", "b"]),
        (["a"], ["x", "y"], ["x", "y"]),
        (["a", "b", "c", "d", "e"], ["w", "x", "y", "z"], ["w", "x", "y", "d", "e", "z"]),
    ],
)
def test_a_hosts_certificate_takes_the_place_of_one_around_it(around, own, expected):
    given = "".join(f"SSLCertificateFile /{name}\n" for name in around)
    (site,) = read(given + host(*(f"SSLCertificateFile /{name}" for name in own))).sites

    assert [str(each.path) for each in site.certificates] == [f"/{name}" for name in expected]


@pytest.mark.parametrize("text", ["pkcs11:object=a", "/ssl/${undefined}.pem"])
def test_a_certificate_of_which_only_httpd_knows_the_file_has_no_path(text):
    (site,) = read(host(f"SSLCertificateFile {text}")).sites

    assert [(each.text, each.path) for each in site.certificates] == [(text, None)]


LISTENS = [
    ("Listen 443", "*:443", [("", 443)]),
    ("Listen 443", "_default_:443", [("", 443)]),
    ("Listen 80\nListen 443", "*:443", [("", 443)]),
    ("Listen 443", "10.0.0.1:443", [("10.0.0.1", 443)]),
    ("Listen 127.0.0.1:443", "*:443", [("127.0.0.1", 443)]),
    ("Listen 127.0.0.1:443", "10.0.0.1:443", []),
    ("Listen [::1]:443", "[::1]:443", [("::1", 443)]),
    ("Listen [::]:443", "*:443", [("", 443)]),
    ("Listen 0.0.0.0:443", "*:443", [("", 443)]),
    ("Listen 443\nListen 8443", "*", [("", 443), ("", 8443)]),
    ("Listen 443\nListen 8443", "*:*", [("", 443), ("", 8443)]),
    ("Listen 443", "10.0.0.1:443 [fe80::1]:443", [("10.0.0.1", 443), ("fe80::1", 443)]),
    ("Listen 443", "www.shop.test:443", [("www.shop.test", 443)]),
    ("Listen 80", "*:443", []),
    ("", "*:443", []),
]


@pytest.mark.parametrize(("listen", "address", "expected"), LISTENS)
def test_a_host_is_reached_where_its_address_and_a_listen_meet(listen, address, expected):
    (site,) = read(f"{listen}\n{host(address=address)}").sites

    assert [(each.host, each.port) for each in site.listens] == expected
    assert all(each.tls and not each.quic for each in site.listens)


@pytest.mark.parametrize("listen", ["Listen", "Listen x", "Listen 0", "Listen 70000", "Listen 1:*"])
def test_a_listen_that_opens_nothing_is_reported(listen):
    found = read(f"# first\n{listen}\n")

    (finding,) = found.findings
    assert (finding.rule, finding.location) == ("listen-invalid", at(2))


def test_the_first_host_at_an_address_gets_the_names_nobody_has():
    first, second, other = read(
        f"Listen 443\nListen 8443\n{host()}{host()}{host(address='*:8443')}"
    ).sites

    assert [site.listens[0].default_server for site in (first, second, other)] == [
        True,
        False,
        True,
    ]


def test_the_proxy_protocol_is_spoken_where_mod_remoteip_is_told_so():
    first, second = read(
        f"Listen 443\nRemoteIPProxyProtocol On\n{host()}{host('remoteipproxyprotocol off')}"
    ).sites

    assert first.listens[0].proxy_protocol
    assert not second.listens[0].proxy_protocol


def test_own_settings_take_the_place_of_those_around():
    first, second = read(
        "SSLUseStapling off\nSSLStaplingResponderTimeout 1\n"
        f"{host('SSLUseStapling on', 'SSLUseStapling off', 'SSLUseStapling on')}{host()}"
    ).sites

    own = first.settings["SSLUseStapling"]
    assert [(each.args, each.origin, each.location.line) for each in own] == [
        (("on",), Origin.OWN, 5),
        (("off",), Origin.OWN, 6),
        (("on",), Origin.OWN, 7),
    ]
    timeout = first.setting("SSLStaplingResponderTimeout")
    assert timeout is not None
    assert (timeout.origin, timeout.shared) == (Origin.INHERITED, True)
    assert second.value("SSLUseStapling") == "off"


def test_what_concerns_the_server_as_a_whole_is_not_handed_down():
    (site,) = read(f"Listen 443\nUser www\nDefine x y\n{host()}").sites

    assert set(site.settings) == {"SSLEngine"}


def test_the_order_of_lines_does_not_matter_for_what_is_inherited():
    (site,) = read(f"{host()}SSLUseStapling on\n").sites

    assert site.value("SSLUseStapling") == "on"


def test_an_include_in_a_host_is_included_and_shared_if_another_has_it():
    files = {"part": "SSLUseStapling on\n", "alone": "SSLVerifyDepth 2\n"}
    first, second = read(
        {
            "apache2.conf": host("Include part", "Include alone")
            + host("<IfModule core.c>\nInclude part\n</IfModule>"),
            **files,
        }
    ).sites

    for site in (first, second):
        setting = site.setting("SSLUseStapling")
        assert setting is not None
        assert (setting.origin, setting.shared) == (Origin.INCLUDED, True)
        assert (setting.file, setting.location) == (ROOT / "part", at(1, "part"))
    alone = first.setting("SSLVerifyDepth")
    assert alone is not None
    assert (alone.origin, alone.shared) == (Origin.INCLUDED, False)


def test_sections_decided_while_reading_are_the_hosts_own():
    (site,) = read(host("<IfModule !mod_no.c>\nSSLUseStapling on\n</IfModule>")).sites

    setting = site.setting("SSLUseStapling")
    assert setting is not None
    assert (setting.origin, setting.location) == (Origin.OWN, at(4))


def test_what_is_said_for_a_directory_is_not_said_for_the_host():
    (site,) = read(host("<Directory /x>\nSSLVerifyDepth 2\n</Directory>")).sites

    assert "SSLVerifyDepth" not in site.settings


def test_a_file_read_for_two_hosts_makes_two_sites_of_one_block():
    sites = read({"apache2.conf": "Include x\nInclude x\n", "x": host(CERTIFICATE)}).sites

    assert len(sites) == 2
    assert sites[0].block is sites[1].block
    assert all(site.settings["SSLEngine"][0].shared for site in sites)


def test_the_main_server_is_a_site_where_it_has_an_engine_and_a_certificate():
    files = {
        "apache2.conf": "Listen 443\nServerName main.test\nInclude ssl.conf\n",
        "ssl.conf": f"SSLEngine on\n{CERTIFICATE}\nSSLCertificateKeyFile /ssl/a.key\n",
    }
    (site,) = read(files).sites

    assert (site.names, site.file, site.location) == (
        ("main.test",),
        ROOT / "ssl.conf",
        at(2, "ssl.conf"),
    )
    assert site.block.name == ""
    assert (site.block.span.start, site.block.span.end) == (0, len(files["ssl.conf"]))
    assert [str(each.path) for each in site.certificates] == ["/ssl/a.pem"]
    engine = site.setting("SSLEngine")
    assert engine is not None
    assert engine.origin is Origin.OWN
    assert [(each.host, each.port) for each in site.listens] == [("", 443)]


def test_the_main_server_has_nothing_of_its_hosts():
    text = f"Listen 443\nSSLEngine on\n{CERTIFICATE}\n{host(engine='SSLEngine off')}"
    (site,) = read(text).sites

    assert set(site.settings) == {"SSLEngine", "SSLCertificateFile"}


def test_a_host_without_a_certificate_of_its_own_or_around_has_none():
    (site,) = read(f"MDomain a.test\n{host('ServerName a.test')}").sites

    assert site.certificates == ()


def test_relative_paths_count_from_the_root_said_last():
    (site,) = read(f"{host('SSLCertificateFile a.pem')}ServerRoot /srv\n").sites

    assert site.certificates[0].path == PurePosixPath("/srv/a.pem")
