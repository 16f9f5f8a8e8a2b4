"""The rule about a local responder that gives a server nothing to staple, on both servers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import pytest

from staplecfg.model.facts import Inserted, Record
from staplecfg.model.finding import Severity
from staplecfg.model.heard import NOT_ASKED, Answers, NoAnswer, Stranger
from staplecfg.model.settings import Endpoint, Serve, Settings
from tests.support import apache_facts, facts
from tests.support.facts import PLAIN, SHOP, SHOP_PEM, STATE, STRICT, http, server

if TYPE_CHECKING:
    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding
    from staplecfg.model.heard import Heard

RULE = "nothing-answers"
URL = "http://127.0.0.1:889/"
OLD = "http://127.0.0.1:8890/"
V6 = Settings(serve=Serve(Endpoint("::1", 889)))
REFUSED = NoAnswer("127.0.0.1 port 889: connection refused")
UNIT = PurePosixPath("/etc/systemd/system/staplecfg-serve.service")
SAID = "staples come from the local responder at 127.0.0.1:889, and that "


def on_nginx(*lines: str, issued=SHOP, files=None, **more) -> Facts:
    return facts.facts(http(server(*lines)), {SHOP_PEM: issued, **(files or {})}, **more)


def on_apache(*lines: str, issued=SHOP, **more) -> Facts:
    conf, vhost = apache_facts.conf, apache_facts.vhost
    return apache_facts.facts(conf(apache_facts.CACHE, vhost(*lines)), {SHOP_PEM: issued}, **more)


def nginx(url: str = URL, **more) -> Facts:
    return on_nginx("ssl_stapling on;", f"ssl_stapling_responder {url};", **more)


def apache(url: str = URL, **more) -> Facts:
    return on_apache("SSLUseStapling on", f"SSLStaplingForceURL {url}", **more)


def found(observed: Facts, heard: Heard = REFUSED, *urls: str) -> tuple[Finding, ...]:
    told = dict.fromkeys(urls or (URL, OLD, "http://[::1]:889/"), heard)
    return facts.findings(RULE, replace(observed, local_responders=told))


BOTH = pytest.mark.parametrize("asking", [nginx, apache])


@pytest.mark.parametrize("heard", [Answers(), NOT_ASKED], ids=["it answers", "not asked"])
@BOTH
def test_nothing_wrong_is_no_news(asking, heard):
    assert found(asking(), heard) == ()


@BOTH
def test_one_that_was_not_asked_is_not_said_to_be_silent(asking):
    assert found(asking(), REFUSED, "http://127.0.0.1:1234/") == ()


@pytest.mark.parametrize(
    "observed",
    [
        pytest.param(on_nginx(), id="no stapling"),
        pytest.param(nginx("http://127.0.0.1:8890/"), id="somebody's own, nginx"),
        pytest.param(apache("http://127.0.0.1:8890/"), id="somebody's own, Apache"),
        pytest.param(nginx("http://192.0.2.1:889/"), id="another machine's"),
        pytest.param(nginx("http://ocsp.example/"), id="one with a name"),
        pytest.param(nginx("http://[::1/"), id="no URL"),
        pytest.param(on_nginx("ssl_stapling on;"), id="the certificate's own, nginx"),
        pytest.param(on_apache("SSLUseStapling on"), id="the certificate's own, Apache"),
        pytest.param(
            on_nginx("ssl_stapling off;", f"ssl_stapling_responder {URL};"), id="off, nginx"
        ),
        pytest.param(
            on_apache("SSLUseStapling off", f"SSLStaplingForceURL {URL}"), id="off, Apache"
        ),
        pytest.param(
            on_nginx(
                "ssl_stapling on;",
                f"ssl_stapling_responder {URL};",
                f"include {STATE}/k/*.conf;",
                files={f"{STATE}/k/staple.conf": b"ssl_stapling_file /x.der;\n"},
            ),
            id="a file is served",
        ),
        pytest.param(nginx(issued=PLAIN), id="a certificate that nobody could be asked about"),
        pytest.param(nginx(issued=b""), id="no certificate"),
        pytest.param(
            nginx(
                "http://192.0.2.1:889/", settings=Settings(serve=Serve(Endpoint("192.0.2.1", 889)))
            ),
            id="ours, where other machines can reach it",
        ),
    ],
)
def test_a_site_that_does_not_ask_it_is_no_news(observed):
    urls = ("http://192.0.2.1:889/", "http://ocsp.example/", "http://[::1/", URL, OLD)

    assert found(observed, REFUSED, *urls) == ()


@BOTH
def test_silence_is_told_at_the_line_that_asks(asking):
    (told,) = found(asking())

    assert (told.location.line, told.site) == (8, "shop.example")
    assert told.problem == f"{SAID}gives no usable answer: {REFUSED.problem}"
    assert told.severity is Severity.WARNING


@BOTH
def test_a_certificate_that_demands_a_staple_makes_it_an_error(asking):
    (told,) = found(asking(issued=STRICT))

    assert told.severity is Severity.ERROR
    assert "(Must-Staple)" in told.problem


@BOTH
def test_one_that_reads_another_store_is_told_apart(asking):
    (told,) = found(asking(), Stranger())

    store = "/var/lib/staplecfg/store"
    assert told.problem == f"{SAID}does not know the certificates of {store}"


def test_every_site_is_told_and_only_those_that_are_selected():
    lines = ("ssl_stapling on;", f"ssl_stapling_responder {URL};")
    text = http(server(*lines), server(*lines, name="blog.example"))

    def told(settings: Settings) -> list[str | None]:
        return [each.site for each in found(facts.facts(text, {SHOP_PEM: SHOP}, settings=settings))]

    assert told(Settings()) == ["shop.example", "blog.example"]
    assert told(Settings(sites=("blog.*",))) == ["blog.example"]


def test_an_address_of_the_other_kind_is_told_as_the_settings_have_it():
    (told,) = found(nginx("http://[::1]:889/", settings=V6))

    assert "at [::1]:889, " in told.problem


@BOTH
def test_where_systemd_runs_it_the_hint_names_the_unit(asking):
    (told,) = found(asking(record=Record(units=(UNIT,))))

    assert told.hint is not None
    assert told.hint.startswith("run systemctl restart staplecfg-serve.service, ")


@BOTH
def test_elsewhere_the_hint_is_what_is_to_run(asking):
    (told,) = found(asking())

    assert told.hint is not None
    command = "staplecfg serve --state-dir /var/lib/staplecfg --listen 127.0.0.1:889"
    assert f"`{command}`" in told.hint
    assert "staplecfg apply" not in told.hint


def test_an_address_of_before_is_still_ours_and_apply_exchanges_it():
    words = ("ssl_stapling_responder", OLD)
    remembered = Record(inserted=(Inserted(facts.MAIN, "shop", (words,)),))

    (told,) = found(nginx(OLD, record=remembered))

    assert "at 127.0.0.1:8890, " in told.problem
    assert told.hint is not None
    assert "run staplecfg apply, for the settings say 127.0.0.1:889" in told.hint
