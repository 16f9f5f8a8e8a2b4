"""Which layout a tree has is told by what its configuration reads."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from staplecfg.servers.apache.layout import Layout, ModuleLine, layout, module
from staplecfg.servers.interface import SharedLink
from tests.support.apache_planned import DEBIAN, debian, machine, vhost

HTTPD = PurePosixPath("/etc/httpd/conf/httpd.conf")
ROOT = PurePosixPath("/etc/httpd")


@pytest.mark.parametrize(
    ("main", "text", "wanted"),
    [
        pytest.param(
            DEBIAN,
            "IncludeOptional conf-enabled/*.conf\n",
            Layout(
                PurePosixPath("/etc/apache2/conf-available/staplecfg.conf"),
                link=SharedLink(
                    PurePosixPath("/etc/apache2/conf-enabled/staplecfg.conf"),
                    "../conf-available/staplecfg.conf",
                ),
            ),
            id="Debian",
        ),
        pytest.param(
            HTTPD,
            "ServerRoot /etc/httpd\nIncludeOptional conf.d/*.conf\n",
            Layout(PurePosixPath("/etc/httpd/conf.d/staplecfg.conf")),
            id="Red Hat",
        ),
        pytest.param(
            DEBIAN,
            "IncludeOptional /etc/apache2/conf.d/*.conf\n",
            Layout(PurePosixPath("/etc/apache2/conf.d/staplecfg.conf")),
            id="SUSE",
        ),
        pytest.param(
            DEBIAN,
            "IncludeOptional /etc/apache2/*.conf\n",
            Layout(PurePosixPath("/etc/apache2/staplecfg.conf")),
            id="everything beside the main file is read",
        ),
        pytest.param(
            DEBIAN,
            "IncludeOptional /etc/apache2/sites-enabled/\n",
            Layout(
                PurePosixPath("/etc/apache2/staplecfg.conf"),
                line=("Include", "/etc/apache2/staplecfg.conf"),
            ),
            id="nothing is read",
        ),
    ],
)
def test_a_tree_tells_where_lines_for_the_whole_server_go(main, text, wanted):
    prefix = ROOT if main == HTTPD else main.parent

    assert layout(machine({str(main): text}, main=main, prefix=prefix)) == wanted


def test_a_module_is_enabled_with_its_configuration_as_a2enmod_does():
    path = "/etc/apache2/mods-available/md.conf"
    found = module("md", debian(vhost(), more={path: "MDMembers auto\n"}))

    assert isinstance(found, tuple)
    assert [link.path.name for link in found] == ["md.conf", "md.load"]
    assert {link.target for link in found} == {
        "../mods-available/md.conf",
        "../mods-available/md.load",
    }


@pytest.mark.parametrize("name", ["ssl", "watchdog"])
def test_what_is_loaded_or_compiled_in_is_left_as_it_is(name):
    assert module(name, debian(vhost())) == ()


def test_a_module_beside_another_is_loaded_from_there():
    text = "ServerRoot /etc/httpd\nLoadModule ssl_module modules/mod_ssl.so\n"
    files: dict[str, str | bytes] = {str(HTTPD): text, "/etc/httpd/modules/mod_md.so": b""}
    seen = machine(files, main=HTTPD, prefix=ROOT)

    assert module("md", seen) == ModuleLine("md_module", "modules/mod_md.so")
    assert module("socache_shmcb", seen) is None
