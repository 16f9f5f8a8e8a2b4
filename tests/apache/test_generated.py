"""Files somebody writes anew are known, and named with the place where a line lasts."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from staplecfg.model.settings import Settings
from staplecfg.servers.apache.generated import WRITERS, generated
from staplecfg.servers.apache.scan import scan
from staplecfg.servers.generated import MANAGERS
from tests.support.apache_facts import MAIN, conf, facts, findings, told, vhost
from tests.support.apache_stock import TREE
from tests.support.facts import SHOP, SHOP_PEM

HOST = b"<VirtualHost *:443>\nSSLEngine on\n</VirtualHost>\n"


def judged(path: str, data: bytes = HOST, real: str | None = None):
    name = PurePosixPath(path)
    return generated(name, PurePosixPath(real or path), data, scan(data, name))


BY_PATH = {
    "certbot": "/etc/letsencrypt/options-ssl-apache.conf",
    "Plesk": "/etc/apache2/plesk.conf.d/vhosts/a.example.conf",
    "cPanel": "/etc/apache2/conf/httpd.conf",
    "DirectAdmin": "/usr/local/directadmin/data/users/joe/httpd.conf",
    "ISPConfig": "/etc/apache2/sites-available/a.example.vhost",
    "HestiaCP": "/home/joe/conf/web/a.example/apache2.ssl.conf",
    "VestaCP": "/home/joe/conf/web/a.example.apache2.ssl.conf",
    "aaPanel": "/www/server/panel/vhost/apache/a.example.conf",
    "Froxlor": "/etc/apache2/sites-enabled/34_froxlor_ssl_vhost_a.example.conf",
    "RunCloud": "/etc/apache2-rc/conf.d/shop.conf",
    "NixOS": "/nix/store/abc-httpd.conf",
}


@pytest.mark.parametrize(
    ("path", "data"),
    [
        pytest.param("/etc/apache2/sites-available/shop.conf", HOST, id="Debian"),
        pytest.param("/etc/httpd/conf/httpd.conf", HOST, id="Red Hat"),
        pytest.param("/usr/local/apache2/conf/httpd.conf", HOST, id="from source"),
        pytest.param(
            "/etc/apache2/sites-enabled/shop-le-ssl.conf",
            b"# modified by certbot\n" + HOST,
            id="copied by certbot once",
        ),
        pytest.param("/etc/apache2/a.conf", HOST + b"# managed by puppet\n", id="not in the head"),
        pytest.param("/etc/apache2/a.conf", b"# You may edit this file\n" + HOST, id="invitation"),
    ],
)
def test_other_files_are_anybodys(path: str, data: bytes):
    assert judged(path, data) is None


@pytest.mark.system
def test_what_the_distribution_ships_is_anybodys():
    files = [path for path in TREE.rglob("*") if path.is_file()]
    assert len(files) > 100

    for path in files:
        shown = PurePosixPath("/etc/apache2") / path.relative_to(TREE)
        data = path.read_bytes()
        assert generated(shown, shown, data, ()) is None, path


@pytest.mark.parametrize(("writer", "path"), BY_PATH.items(), ids=BY_PATH)
def test_a_writer_is_known_by_where_it_writes(writer: str, path: str):
    finding = judged(path)

    assert finding is not None
    assert finding.problem.startswith(writer)
    assert finding.rule == "generated-file"
    assert "--force" in str(finding.hint)


def test_every_row_of_the_table_is_tested():
    names = {each.name for each in WRITERS if each not in MANAGERS}

    assert names == set(BY_PATH)


def test_a_manager_that_writes_for_any_server_is_known_by_its_header():
    finding = judged("/etc/apache2/sites-available/a.conf", b"# Ansible managed\n" + HOST)

    assert finding is not None
    assert finding.problem.startswith("Ansible")


@pytest.mark.parametrize("force", [False, True])
def test_a_generated_file_is_refused_and_force_lifts_that(force):
    text = f"# This file is managed by Puppet. DO NOT EDIT.\n{conf(vhost())}"
    observed = facts(text, {SHOP_PEM: SHOP}, settings=Settings(server="apache", force=force))

    assert (observed.configuration.files[MAIN].refusal is None) is force
    assert len(observed.configuration.sites) == 1
    assert len(findings("generated-file", observed)) == (0 if force else 1)
    assert told("configuration-trouble", observed) == []
