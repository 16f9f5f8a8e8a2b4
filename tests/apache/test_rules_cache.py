"""Apache's rules about `SSLStaplingCache`: there, known, loaded, large enough, and one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.apache_facts import CACHE, ON, STATIC, conf, facts, hints, told, vhost
from tests.support.facts import AUTHORITY, BLOG, SHOP, SHOP_PEM

if TYPE_CHECKING:
    from staplecfg.model.facts import Facts

BLOG_PEM = "/etc/ssl/blog.pem"
SHMCB = "LoadModule socache_shmcb_module modules/mod_socache_shmcb.so"
IF_SHMCB = f"<IfModule mod_socache_shmcb.c>\n{CACHE}\n</IfModule>"
IF_ELSE = "<IfModule mod_else.c>\n</IfModule>"
BOTH = {SHOP_PEM: SHOP, BLOG_PEM: BLOG}
MANY = [AUTHORITY.leaf([f"{n}.example"], responders=["http://ocsp.example/"]) for n in range(11)]


def of(*parts, files=None, **more) -> Facts:
    return facts(conf(*parts), {**BOTH, **(files or {})}, **more)


def cached(value, *parts, **more) -> Facts:
    return of(f"SSLStaplingCache {value}", *(parts or (vhost(ON),)), **more)


class TestMissing:
    @pytest.mark.parametrize(
        "observed",
        [
            pytest.param(of(vhost()), id="no stapling"),
            pytest.param(of(vhost("SSLUseStapling off")), id="off by decision"),
            pytest.param(of(CACHE, vhost(ON)), id="before the virtual host"),
            pytest.param(of(vhost(ON), CACHE), id="behind the virtual host"),
            pytest.param(of(vhost(ON), CACHE.lower()), id="in small letters"),
            pytest.param(of("SSLStaplingCache dbm:/tmp/x", vhost(ON)), id="another kind"),
            pytest.param(of(vhost(ON, engine="off")), id="no TLS"),
            pytest.param(of(vhost(ON, engine="optional")), id="TLS by upgrade, which is not asked"),
            pytest.param(of("MDStapling on", vhost()), id="mod_md staples"),
            pytest.param(of(ON, vhost("SSLUseStapling off")), id="switched off again"),
            pytest.param(of(IF_SHMCB, vhost(ON), static=None), id="perhaps, who knows"),
            pytest.param(of(SHMCB, IF_SHMCB, vhost(ON)), id="in a section"),
        ],
    )
    def test_is_no_news(self, observed):
        assert told("stapling-cache-missing", observed) == []

    @pytest.mark.parametrize(
        ("observed", "line"),
        [
            pytest.param(of(vhost(ON)), 6, id="in the virtual host"),
            pytest.param(of(vhost("sslusestapling ON")), 6, id="in other letters"),
            pytest.param(of(ON, vhost(), vhost(name="www")), 2, id="for all, told once"),
            pytest.param(of(vhost(ON, "MDStapling on")), 6, id="where mod_md staples"),
            pytest.param(of(vhost(ON, "SSLStaplingCache shmcb")), 6, id="in the wrong place"),
            pytest.param(of(IF_SHMCB, vhost(ON)), 9, id="in a section for a module that is not"),
            pytest.param(of(IF_ELSE, vhost(ON), static=None), 8, id="none, whatever the section"),
        ],
    )
    def test_a_server_that_ends_at_the_next_reload_is_told(self, observed, line):
        assert told("stapling-cache-missing", observed) == [
            f"{line}: without `SSLStaplingCache` httpd ends at the next reload; -t does not tell"
        ]

    def test_the_hint_is_the_line_to_add(self):
        assert hints("stapling-cache-missing", of(vhost(ON))) == [
            "add `SSLStaplingCache shmcb:ssl_stapling(131072)` outside every virtual host"
        ]


class TestInVirtualHost:
    @pytest.mark.parametrize(
        "observed",
        [
            pytest.param(of(vhost(ON)), id="none"),
            pytest.param(of(CACHE, vhost(ON)), id="outside"),
            pytest.param(of(vhost(ON), CACHE), id="behind it"),
            pytest.param(of(vhost("SSLUseStapling off")), id="no stapling"),
        ],
    )
    def test_is_no_news(self, observed):
        assert told("stapling-cache-in-virtual-host", observed) == []

    @pytest.mark.parametrize("parts", [(), (CACHE,)], ids=["the only one", "besides another"])
    def test_a_line_that_httpd_refuses_is_told(self, parts):
        observed = of(vhost(ON, CACHE), *parts)

        assert told("stapling-cache-in-virtual-host", observed) == [
            "7: httpd refuses `SSLStaplingCache` inside a virtual host"
        ]


class TestTwice:
    @pytest.mark.parametrize(
        "parts",
        [
            pytest.param((), id="none"),
            pytest.param((CACHE,), id="one"),
            pytest.param((CACHE, CACHE), id="the same one twice"),
        ],
    )
    def test_is_no_news(self, parts):
        assert told("stapling-cache-twice", of(*parts, vhost(ON))) == []

    def test_the_one_that_is_overruled_is_told(self):
        observed = of("SSLStaplingCache shmcb:x(524288)", vhost(ON), CACHE)

        assert told("stapling-cache-twice", observed) == [
            (
                "2: this cache is not used: /etc/apache2/apache2.conf:9 names another, "
                "and the last wins"
            )
        ]


class TestMalformed:
    @pytest.mark.parametrize(
        "value",
        [
            pytest.param("shmcb", id="the kind alone"),
            pytest.param("shmcb:", id="a colon and nothing"),
            pytest.param("shmcb:/run/apache2/stapling", id="no size"),
            pytest.param("shmcb:/run/apache2/stapling(8192)", id="the smallest"),
            pytest.param('"shmcb:/run/a b/stapling(131072)"', id="quoted"),
            pytest.param("shmcb:/run/(odd)/stapling(131072)", id="parentheses in the path"),
            pytest.param("default", id="the default kind"),
            pytest.param("dbm:/var/cache/stapling", id="dbm"),
            pytest.param("dbm:/var/cache/stapling(x", id="dbm has no size"),
            pytest.param("redis:127.0.0.1:6379", id="redis"),
            pytest.param("memcache:127.0.0.1:11211", id="memcache"),
        ],
    )
    def test_is_no_news(self, value):
        assert told("stapling-cache-malformed", cached(value)) == []

    def test_a_kind_of_somebodys_own_module_is_no_news(self):
        own = "LoadModule socache_etcd_module modules/mod_socache_etcd.so"

        assert told("stapling-cache-malformed", of(own, "SSLStaplingCache etcd:x")) == []

    @pytest.mark.parametrize(
        ("value", "problem"),
        [
            pytest.param(
                "SHMCB:x(131072)",
                'there is no kind of cache called "SHMCB", write `shmcb`',
                id="in capitals",
            ),
            pytest.param(
                "none",
                'there is no kind of cache called "none"; '
                "httpd has shmcb, default, dbm, memcache, redis, dc",
                id="none",
            ),
            pytest.param(
                "/run/stapling(131072)",
                'there is no kind of cache called "/run/stapling(131072)"; '
                "httpd has shmcb, default, dbm, memcache, redis, dc",
                id="no kind",
            ),
            pytest.param(
                "shmcb:x(128K)",
                'the size "128K" is not a number of bytes; there are no K and M',
                id="a unit",
            ),
            pytest.param(
                "shmcb:x()",
                'the size "" is not a number of bytes; there are no K and M',
                id="no number",
            ),
            pytest.param(
                "shmcb:x(-5)",
                'the size "-5" is not a number of bytes; there are no K and M',
                id="below nothing",
            ),
            pytest.param(
                "shmcb:x(8191)",
                "the size 8191 is not between 8192 and 4294967295 bytes",
                id="too small",
            ),
            pytest.param(
                "shmcb:x(4294967295)",
                "the size 4294967295 is not between 8192 and 4294967295 bytes",
                id="too large",
            ),
            pytest.param(
                "shmcb:x(131072", '"x(131072" does not end in its size, `(bytes)`', id="left open"
            ),
            pytest.param(
                "shmcb:x(131072)y",
                '"x(131072)y" does not end in its size, `(bytes)`',
                id="something behind it",
            ),
            pytest.param(
                "shmcb:x (131072)", "`SSLStaplingCache` takes one argument, not 2", id="a blank"
            ),
        ],
    )
    def test_what_httpd_does_not_start_with_is_told(self, value, problem):
        assert told("stapling-cache-malformed", cached(value)) == [f"2: {problem}"]


class TestModule:
    @pytest.mark.parametrize(
        "observed",
        [
            pytest.param(of(vhost(ON)), id="no cache"),
            pytest.param(of(SHMCB, CACHE, vhost(ON)), id="loaded"),
            pytest.param(of(SHMCB, "SSLStaplingCache default", vhost(ON)), id="by its other name"),
            pytest.param(
                of(CACHE, vhost(ON), static=f"{STATIC} mod_socache_shmcb.c"), id="compiled in"
            ),
            pytest.param(of(CACHE, vhost(ON), static=None), id="not known"),
            pytest.param(cached("SHMCB:x"), id="no such kind, as another rule says"),
        ],
    )
    def test_is_no_news(self, observed):
        assert told("stapling-cache-module-missing", observed) == []

    @pytest.mark.parametrize(
        ("parts", "expected"),
        [
            pytest.param((CACHE,), "2: mod_socache_shmcb", id="shared memory"),
            pytest.param((SHMCB, "SSLStaplingCache dbm:x"), "3: mod_socache_dbm", id="dbm"),
        ],
    )
    def test_a_module_that_is_not_loaded_is_told(self, parts, expected):
        assert told("stapling-cache-module-missing", of(*parts, vhost(ON))) == [
            f"{expected} is not loaded: httpd does not start with this line"
        ]


def eleven(value, *lines) -> Facts:
    files = {f"/etc/ssl/{n}.pem": one for n, one in enumerate(MANY)}
    hosts = [vhost(*lines, name=f"{n}.example", certificate=path) for n, path in enumerate(files)]
    return of(f"SSLStaplingCache {value}", *hosts, files=files)


class TestTooSmall:
    @pytest.mark.parametrize(
        "observed",
        [
            pytest.param(of(vhost(ON)), id="none"),
            pytest.param(cached("shmcb"), id="no size"),
            pytest.param(cached("shmcb:x(32768)"), id="the documented size for one"),
            pytest.param(eleven("shmcb:x(65536)", ON), id="twice the slots"),
            pytest.param(eleven("shmcb:x(32768)"), id="no stapling"),
            pytest.param(eleven("shmcb:x(32768)", "MDStapling on"), id="mod_md has its own"),
            pytest.param(eleven("dbm:x", ON), id="not in memory"),
            pytest.param(eleven("shmcb:x(1)", ON), id="no size, as another rule says"),
            pytest.param(
                cached("shmcb:x(32768)", *(vhost(ON, name=f"{n}.example") for n in range(30))),
                id="one certificate for many sites",
            ),
        ],
    )
    def test_is_no_news(self, observed):
        assert told("stapling-cache-too-small", observed) == []

    def test_responses_that_push_each_other_out_are_told(self):
        observed = eleven("shmcb:x(32768)", ON)

        assert told("stapling-cache-too-small", observed) == [
            "2: 32768 bytes have room for 20 responses, and 11 are to fit"
        ]
        assert hints("stapling-cache-too-small", observed) == ["give it 131072 bytes"]

    def test_a_certificate_that_cannot_be_read_counts(self):
        hosts = [vhost(ON, name=f"{n}", certificate=f"/gone/{n}.pem") for n in range(11)]

        assert len(told("stapling-cache-too-small", cached("shmcb:x(32768)", *hosts))) == 1

    def test_the_last_cache_is_the_one_that_counts(self):
        observed = cached("shmcb:x(8192)", vhost(ON), vhost(ON, certificate=BLOG_PEM), CACHE)

        assert told("stapling-cache-too-small", observed) == []


class TestKinds:
    @pytest.mark.parametrize("rule", ["stapling-cache-dbm", "stapling-cache-remote"])
    @pytest.mark.parametrize("value", ["shmcb:x(131072)", "default", "none", "DBM:x", "Redis:x:1"])
    def test_is_no_news(self, rule, value):
        assert told(rule, cached(value)) == []

    def test_a_dbm_file_is_told(self):
        assert told("stapling-cache-dbm", cached("dbm:/var/cache/x")) == [
            "2: httpd deletes this cache at each reload, and it may be too small for responses"
        ]

    @pytest.mark.parametrize("kind", ["redis", "memcache", "dc"])
    def test_a_cache_that_may_hang_is_told(self, kind):
        assert told("stapling-cache-remote", cached(f"{kind}:127.0.0.1:6379")) == [
            f"2: handshakes wait for {kind}, without an end when it hangs"
        ]
