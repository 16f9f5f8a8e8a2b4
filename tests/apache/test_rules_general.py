"""The rules that are no single server's own, in Apache's terms."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from staplecfg.checks.in_store import ours
from staplecfg.loading.inputs import inputs
from staplecfg.model.facts import Inserted, Record
from staplecfg.model.settings import Settings
from tests.support.apache_facts import CACHE, MAIN, ON, conf, facts, findings, hints, told, vhost
from tests.support.facts import AUTHORITY, BLOG, PLAIN, SHOP, SHOP_PEM, STRICT, staple

if TYPE_CHECKING:
    from staplecfg.model.facts import Facts

OFF = "SSLUseStapling off"
MD = "MDStapling on"
LOCAL = "SSLStaplingForceURL http://127.0.0.1:889/"
ELSEWHERE = AUTHORITY.leaf(["shop.example"], responders=["https://ocsp.example/"])
PROXY = "SSLOCSPProxyURL http://p.example:3128"
BY_MD = Record((Inserted(MAIN, "shop", (("MDStapling", "on"),)),))
BLOG_PEM = "/etc/ssl/blog.pem"


def of(*lines, issued=SHOP, base=(), files=None, **more) -> Facts:
    """Return one virtual host whose own lines begin in line 7, behind `base`."""
    text = conf(CACHE, *base, vhost(*lines))
    return facts(text, {SHOP_PEM: issued, BLOG_PEM: BLOG, **(files or {})}, **more)


class TestDecidedOff:
    @pytest.mark.parametrize(
        "observed",
        [
            pytest.param(of(), id="no word"),
            pytest.param(of(ON), id="on"),
            pytest.param(of(ON, base=(OFF,)), id="on again"),
            pytest.param(of("SSLUseStapling ON"), id="on in capitals"),
            pytest.param(of(OFF, MD), id="mod_md staples all the same"),
            pytest.param(of("MDStapling off"), id="mod_md alone is off"),
            pytest.param(of(OFF, issued=PLAIN), id="nothing to staple"),
        ],
    )
    def test_is_no_news(self, observed):
        assert told("stapling-off-decided", observed) == []

    @pytest.mark.parametrize(
        ("observed", "line"),
        [
            pytest.param(of(OFF), 7, id="in the virtual host"),
            pytest.param(of(base=(OFF,)), 3, id="for all"),
            pytest.param(of(OFF, base=(ON,)), 8, id="in spite of all"),
        ],
    )
    def test_off_is_told_with_the_way_to_overrule_it(self, observed, line):
        assert told("stapling-off-decided", observed) == [
            f"{line}: `SSLUseStapling off` is set here; staplecfg does not overrule it"
        ]
        assert hints("stapling-off-decided", observed) == [
            "run staplecfg apply --replace SSLUseStapling --site shop.example"
        ]


class TestMustStaple:
    @pytest.mark.parametrize(
        "observed",
        [
            pytest.param(of(issued=SHOP), id="no demand"),
            pytest.param(of(ON, issued=STRICT), id="mod_ssl staples"),
            pytest.param(of(MD, issued=STRICT), id="mod_md staples"),
            pytest.param(of(OFF, MD, issued=STRICT), id="mod_md staples though"),
        ],
    )
    def test_is_no_news(self, observed):
        assert told("must-staple-unmet", observed) == []

    @pytest.mark.parametrize(
        ("lines", "end"),
        [((), "and stapling is off"), ((OFF,), f"and {MAIN}:7 turns it off")],
        ids=["no word", "off"],
    )
    def test_a_demand_that_is_not_met_is_told_at_the_certificate(self, lines, end):
        (line,) = told("must-staple-unmet", of(*lines, issued=STRICT))

        assert line.startswith("6: ")
        assert line.endswith(end)


class TestNoResponder:
    @pytest.mark.parametrize("lines", [(), (OFF,), (ON, LOCAL)], ids=["none", "off", "another"])
    def test_a_certificate_without_one_is_a_note(self, lines):
        (line,) = told("no-responder-url", of(*lines, issued=PLAIN))

        assert line.endswith("nothing to staple")

    @pytest.mark.parametrize(
        "lines", [(ON,), (MD,), (MD, LOCAL)], ids=["mod_ssl", "mod_md", "mod_md asks nobody else"]
    )
    def test_lines_that_do_nothing_are_said_to(self, lines):
        (line,) = told("no-responder-url", of(*lines, issued=PLAIN))

        assert line.endswith("the stapling lines for it do nothing")


class TestOurs:
    LINES = (("SSLUseStapling", "on"), tuple(LOCAL.split()))
    RECORDED = Record((Inserted(MAIN, "shop", LINES),))
    FETCHED = Record((Inserted(MAIN, "shop", LINES[:1]),))

    @pytest.mark.parametrize(
        ("observed", "expected"),
        [
            pytest.param(of(ON), False, id="somebody's"),
            pytest.param(of(ON, LOCAL, record=RECORDED), True, id="on record"),
            pytest.param(of(ON, record=FETCHED), True, id="on record, and httpd fetches"),
            pytest.param(of(record=RECORDED), False, id="taken out since"),
        ],
    )
    def test_a_site_is_ours_by_the_record(self, observed, expected):
        (site,) = observed.configuration.sites

        assert ours(site, observed) is expected

    def test_a_site_of_ours_without_a_staple_is_told(self):
        observed = of(ON, LOCAL, record=self.RECORDED)

        assert told("staple-missing", observed) == [
            '6: there is no staple for certificate "/etc/ssl/shop.pem"'
        ]

    def test_where_httpd_is_to_fetch_by_itself_the_store_is_no_matter(self):
        assert told("staple-missing", of(ON, record=self.RECORDED)) == []

    def test_one_with_a_staple_is_not(self):
        observed = of(ON, LOCAL, record=self.RECORDED, stored={SHOP: staple(SHOP)})

        assert told("staple-missing", observed) == []


def included(*lines) -> Facts:
    """Return two virtual hosts that include one file with `lines`."""
    hosts = [vhost("Include tls.conf", name=name) for name in ("shop", "www")]
    text = "\n".join(lines).encode()
    return facts(conf(*hosts), {SHOP_PEM: SHOP, "/etc/apache2/tls.conf": text})


class TestShared:
    @pytest.mark.parametrize(
        "observed",
        [
            pytest.param(of(ON), id="own"),
            pytest.param(of(base=(ON,)), id="for all by its place"),
            pytest.param(included("SSLProtocol all"), id="nothing about stapling"),
        ],
    )
    def test_is_no_news(self, observed):
        assert told("shared-file", observed) == []

    @pytest.mark.parametrize("line", [ON, LOCAL, MD, "SSLStaplingResponderTimeout 2"])
    def test_a_shared_line_is_told_once(self, line):
        assert told("shared-file", included(line)) == [
            f"/etc/apache2/tls.conf:1: `{line}` stands in a file that other sites include too"
        ]


class TestOff:
    @pytest.mark.parametrize(
        "observed",
        [
            pytest.param(of(ON), id="on"),
            pytest.param(of(MD), id="mod_md"),
            pytest.param(of(OFF), id="off by decision"),
            pytest.param(of(issued=PLAIN), id="nothing to staple"),
            pytest.param(of(issued=b""), id="no certificate"),
        ],
    )
    def test_is_no_news(self, observed):
        assert told("stapling-off", observed) == []

    @pytest.mark.parametrize(
        "lines",
        [
            pytest.param((), id="no word"),
            pytest.param(("MDStapling off",), id="mod_md alone is off"),
            pytest.param((MD, "MDStapleOthers off"), id="mod_md leaves it alone"),
        ],
    )
    def test_a_site_that_could_staple_is_told_at_its_block(self, lines):
        assert told("stapling-off", of(*lines)) == ["3: shop.example could staple and does not"]


class TestMisfit:
    @pytest.mark.parametrize(
        "observed",
        [
            pytest.param(of(), id="it fits"),
            pytest.param(of(OFF), id="off by decision"),
            pytest.param(of(PROXY, issued=PLAIN), id="no responder"),
            pytest.param(of(MD, PROXY, record=BY_MD), id="by mod_md, as it was asked for once"),
            pytest.param(of(MD), id="by mod_md, somebody else's"),
        ],
    )
    def test_is_no_news(self, observed):
        assert told("delivery-misfit", observed) == []

    @pytest.mark.parametrize(
        "observed",
        [
            pytest.param(of(PROXY), id="nothing yet"),
            pytest.param(of(PROXY, record=BY_MD), id="the line for mod_md is gone"),
        ],
    )
    def test_what_is_in_the_way_is_told_where_it_stands(self, observed):
        (line,) = told("delivery-misfit", observed)

        assert line.startswith("7: `SSLOCSPProxyURL` is set here")


class TestReading:
    @pytest.mark.parametrize("rule", ["configuration-trouble", "readers-disagree"])
    @pytest.mark.parametrize(
        "observed",
        [
            pytest.param(of(ON), id="plain"),
            pytest.param(of("IncludeOptional none/*.conf"), id="nothing to include"),
            pytest.param(included(ON), id="included"),
        ],
    )
    def test_is_no_news(self, rule, observed):
        assert told(rule, observed) == []

    def test_a_file_that_is_not_there_is_told_where_it_is_included(self):
        (found,) = findings("configuration-trouble", of("Include gone.conf"))

        assert found.rule == "configuration-trouble"
        assert (found.location.path, found.location.line) == (MAIN, 7)


def test_a_chain_in_a_file_of_its_own_is_watched_too():
    observed = of("SSLCertificateChainFile /etc/ssl/chain.pem")

    assert Path("/etc/ssl/chain.pem") in inputs(observed, None)


@pytest.mark.parametrize("delivery", [None, "responder"])
def test_a_bad_responder_is_told_whatever_the_delivery(delivery):
    settings = Settings(server="apache", delivery=delivery)

    assert len(told("responder-url-unusable", of(issued=ELSEWHERE, settings=settings))) == 1
