"""The constructs of real configurations that have broken other tools, each in a form of ours."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import pytest

from staplecfg.model.edit import apply_edits
from staplecfg.model.errors import NotUnderstood
from staplecfg.model.site import Origin
from staplecfg.servers.apache import place
from staplecfg.servers.apache.compare import disagreement
from staplecfg.servers.apache.scan import scan, walk
from tests.support.apache_trees import MAIN, SSL, STATIC, read

if TYPE_CHECKING:
    from staplecfg.model.directive import Directive

PATH = PurePosixPath(MAIN)
ON = (("SSLUseStapling", "on"),)


def virtual_hosts(data: bytes) -> list[Directive]:
    return [each for each in walk(scan(data, PATH)) if each.name == "VirtualHost"]


def edited(text: str, which: int = 0) -> str:
    data = text.encode()
    after = apply_edits(data, place.insert(data, virtual_hosts(data)[which], ON))
    ours = [each for each in walk(scan(after, PATH)) if each.words == ON[0]]
    assert apply_edits(after, place.take_out(after, ours)) == data
    assert disagreement(after, PATH) is None
    return after.decode()


def test_19_a_sharp_inside_arguments_is_no_comment():
    text = (
        "IndexIgnore .??* *# #* RCS\n"
        "RewriteRule ^/old$ /new#part [R,NE] # moved\n"
        "SSLStaplingForceURL http://127.0.0.1/#x\n"
    )

    ignored, rule, forced = scan(text.encode(), PATH)

    assert ignored.args == (".??*", "*#", "#*", "RCS")
    assert rule.args == ("^/old$", "/new#part", "[R,NE]", "#", "moved")
    assert forced.args == ("http://127.0.0.1/#x",)
    assert disagreement(text.encode(), PATH) is None


def test_20_a_continued_comment_hides_what_looks_alive():
    text = (
        "Listen 443\n"
        "# SSLEngine on \\\n"
        "<VirtualHost *:443>\n"
        "# ends here \\\\\n"
        "</VirtualHost>\n"
        "ServerName a.example\n"
    )

    assert [each.words for each in scan(text.encode(), PATH)] == [
        ("Listen", "443"),
        ("ServerName", "a.example"),
    ]


def test_20_an_opening_tag_of_several_lines_some_of_them_empty():
    text = (
        "  <VirtualHost \\\n"
        "     192.0.2.1:443 \\\n"
        "\\\n"
        "     [2001:db8::1]:443 \\\n"
        "  >\n"
        "    SSLEngine on\n"
        "  </VirtualHost>\n"
    )

    (host,) = virtual_hosts(text.encode())

    assert host.args == ("192.0.2.1:443", "[2001:db8::1]:443")
    assert edited(text) == text.replace("on\n", "on\n    SSLUseStapling on\n")


def test_21_a_virtual_host_in_a_macro_is_edited_once_for_all_its_uses():
    text = (
        SSL + "LoadModule macro_module m/mod_macro.so\nListen 443\n"
        "<Macro Tls $name>\n"
        "  <VirtualHost *:443>\n"
        "    ServerName $name\n"
        "    SSLEngine on\n"
        "    <IfFile /etc/tls/$name.pem>\n"
        "      SSLCertificateFile /etc/tls/$name.pem\n"
        "    </IfFile>\n"
        "    <IfFile !/etc/tls/$name.pem>\n"
        "      SSLCertificateFile /etc/tls/fallback.pem\n"
        "    </IfFile>\n"
        "  </VirtualHost>\n"
        "</Macro>\n"
        "Use Tls a.example\n"
        "Use Tls b.example\n"
    )
    tree = {"apache2.conf": text, "/etc/tls/a.example.pem": ""}

    before = read(tree).sites
    after = read(tree | {"apache2.conf": edited(text)}).sites

    assert [site.names for site in before] == [("a.example",), ("b.example",)]
    assert [str(each.path) for site in before for each in site.certificates] == [
        "/etc/tls/a.example.pem",
        "/etc/tls/fallback.pem",
    ]
    assert len({site.block.span for site in before}) == 1
    assert edited(text).count("\n    SSLUseStapling on\n") == 1
    assert [site.setting("SSLUseStapling") is None for site in before] == [True, True]
    assert [site.setting("SSLUseStapling") is None for site in after] == [False, False]


def test_22_a_cache_in_nested_sections_of_a_file_far_away_is_found():
    main = (
        SSL + "LoadModule socache_shmcb_module m/mod_socache_shmcb.so\nListen 443\n"
        "IncludeOptional conf-enabled/*.conf\n"
        "<VirtualHost *:443>\n"
        "  SSLEngine on\n"
        "</VirtualHost>\n"
    )
    tls = (
        "<IfModule mod_ssl.c>\n"
        "    <IfModule mod_socache_shmcb.c>\n"
        "SSLStaplingCache shmcb:stapling(150000)\n"
        "    </IfModule>\n"
        "    SSLUseStapling on\n"
        "</IfModule>\n"
    )

    found = read({"apache2.conf": main, "conf-enabled/tls.conf": tls})

    (cache,) = found.globals["SSLStaplingCache"]
    assert cache.args == ("shmcb:stapling(150000)",)
    assert (cache.location.path.name, cache.location.line) == ("tls.conf", 3)
    stapling = found.sites[0].setting("SSLUseStapling")
    assert stapling is not None
    assert stapling.origin is Origin.INHERITED


def test_22_no_cache_where_its_module_is_not_loaded():
    main = SSL + "<IfModule mod_socache_shmcb.c>\nSSLStaplingCache shmcb:a\n</IfModule>\n"

    assert read(main).globals.get("SSLStaplingCache", ()) == ()


GENTOO = (
    "<IfDefine SSL>\n"
    "Listen 443\n"
    "<IfModule mod_ssl.c>\n"
    "<VirtualHost _default_:443>\n"
    "\tSSLEngine on\n"
    "</VirtualHost>\n"
    "</IfModule>\n"
    "</IfDefine>\n"
)


@pytest.mark.parametrize(("defines", "sites"), [("", 0), ("SSL", 1), ("OTHER SSL", 1)])
def test_23_a_virtual_host_depends_on_a_flag_of_the_command_line(defines: str, sites: int):
    details = {"static-modules": STATIC, "defines": defines}

    assert len(read(SSL + GENTOO, details=details).sites) == sites


def test_23_it_is_edited_where_it_stands():
    assert edited(GENTOO) == GENTOO.replace("on\n", "on\n\tSSLUseStapling on\n")


def test_24_what_stands_behind_an_end_tag_is_nothing():
    closed_twice = (
        "<IfDefine !A>\n<VirtualHost *:443>\nSSLEngine on\n"
        "</VirtualHost> </IfDefine>\n</IfDefine>\n"
    )

    (condition,) = scan(closed_twice.encode(), PATH)

    assert condition.block is not None
    assert [each.name for each in condition.block.children] == ["VirtualHost"]
    assert "SSLEngine on\nSSLUseStapling on\n</VirtualHost> </IfDefine>\n" in edited(closed_twice)


def test_24_a_section_that_the_end_of_the_file_closes_is_refused():
    text = b"<IfDefine !A>\n<VirtualHost *:443>\n</VirtualHost> </IfDefine>\n"

    with pytest.raises(NotUnderstood, match="never closed") as caught:
        scan(text, PATH)

    assert caught.value.at is not None
    assert caught.value.at.line == 1


def test_24_end_tags_in_another_case_and_odd_quotes():
    text = (
        '<VIRTUALHOST "*:443">\n'
        '  sSLEngine "on\n'
        "  ServerAlias 'a.example' \"b\"c 'd\n"
        '  CustomLog x "%h \\"%r\\" %{a}i" env=!b\n'
        "</virtualHost>\n"
    )

    (host,) = virtual_hosts(text.encode())

    assert host.args == ("*:443",)
    assert host.block is not None
    assert [each.words for each in host.block.children] == [
        ("SSLEngine", "on"),
        ("ServerAlias", "a.example", "b", "c", "d"),
        ("CustomLog", "x", '%h "%r" %{a}i', "env=!b"),
    ]
    assert edited(text) == text.replace('"on\n', '"on\n  SSLUseStapling on\n')


def test_25_files_come_in_the_order_of_their_bytes_and_backups_of_a_directory_too():
    main = SSL + "Listen 443\nDefine WHERE sites\nInclude ${WHERE}-enabled/*.conf\nInclude more\n"

    def host(name: str) -> str:
        return f"<VirtualHost *:443>\nServerName {name}\nSSLEngine on\n</VirtualHost>\n"

    found = read(
        {
            "apache2.conf": main,
            "sites-available/b": host("b"),
            "sites-enabled/a.conf~": host("never"),
            "sites-enabled/10.conf": host("ten"),
            "sites-enabled/2.conf": host("two"),
            "more/x": host("x"),
            "more/x.bak": host("x.bak"),
            "more/below/y": host("y"),
        },
        links={"sites-enabled/Z.conf": "../sites-available/b"},
    )

    assert [site.names[0] for site in found.sites] == ["ten", "two", "b", "y", "x", "x.bak"]
    assert found.sites[2].file == PurePosixPath("/etc/apache2/sites-available/b")


def test_25_several_addresses_of_one_virtual_host():
    (site,) = read(
        {
            "apache2.conf": SSL + "Listen 443\n"
            "<VirtualHost 192.0.2.1:443 [2001:db8::1]:443 tls.example:443>\nSSLEngine on\n"
            "</VirtualHost>\n"
        }
    ).sites

    assert site.block.args == ("192.0.2.1:443", "[2001:db8::1]:443", "tls.example:443")


def test_25_a_list_of_half_a_megabyte_is_read_as_any_other():
    count = 12_000
    data = b"".join(b"SetEnvIf User-Agent ^bad%d# \\\n  bad\n" % each for each in range(count))

    found = scan(data, PATH)

    assert len(found) == count
    assert found[-1].line == 2 * count - 1
    assert disagreement(data, PATH) is None
