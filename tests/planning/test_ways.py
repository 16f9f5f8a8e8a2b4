"""Other deliveries than the file: whose lines stand where, and one exchanged for another."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import pytest

from staplecfg.model.change import Kind
from staplecfg.model.facts import Record, Stored
from staplecfg.model.filesystem import MemoryFilesystem
from staplecfg.model.plan import Decision, Goal
from staplecfg.model.settings import Endpoint, Nginx, Serve, Settings
from staplecfg.planning.wanted import wanted, wanted_together
from staplecfg.servers.nginx.server import NGINX
from tests.support.authority import Authority
from tests.support.facts import AUTHORITY, BLOG, SHOP, SHOP_PEM, http, server, staple
from tests.support.planned import (
    OWNED,
    RECORD,
    carried_out,
    config,
    edited,
    machine,
    plan,
    rules,
    with_files,
    written,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from staplecfg.model.facts import Facts
    from tests.support.authority import Issued

BLOG_PEM = "/etc/ssl/blog.pem"
FILES: dict[str, bytes | Issued] = {SHOP_PEM: SHOP, BLOG_PEM: BLOG}
TWO = f"ssl_certificate {BLOG_PEM};"
ASKING = "ssl_stapling_responder http://127.0.0.1:889/;"
RESPONDER = Settings(delivery="responder")
FILE = Settings(delivery="file")
LIVE = Settings(delivery="live", nginx=Nginx(("127.0.0.53", "valid=30s")))
ROOTS = [AUTHORITY.root.cert]
TRUSTED = "/etc/staplecfg/trusted/ssl-shop-6842c685.pem"


def seen(*lines: str, settings: Settings | None = None, **more: Any) -> Facts:
    text = http(server(*lines))
    return machine(text, FILES, settings=settings or Settings(), roots=ROOTS, **more)


def held(facts: Facts) -> Mapping[PurePosixPath, bytes]:
    """Return every file of the machine."""
    assert isinstance(facts.files, MemoryFilesystem)
    return facts.files.files


def depending(facts: Facts) -> set[str]:
    """Return what is there for a delivery's sake."""
    ours = ("/var/lib/staplecfg/nginx/", "/etc/staplecfg/trusted/", "/etc/systemd/system/")
    found = {str(path) for path in held(facts) if str(path).startswith(ours)}
    # Once there is a schedule it stays, whether or not there is anything to renew just now.
    return {path for path in found if "system/" not in path or "serve" in path}


def lines(text: str) -> list[str]:
    """Return the stapling lines of a configuration."""
    words = ("ssl_stapling", "include", "resolver", "ssl_trusted")
    return [line.strip() for line in text.splitlines() if line.strip().startswith(words)]


class TestResponder:
    def test_nginx_is_told_to_ask_the_local_responder(self):
        done = carried_out(seen(settings=RESPONDER))

        assert lines(config(done)) == ["ssl_stapling on;", "ssl_stapling_verify on;", ASKING]
        assert plan(done).empty
        assert config(carried_out(done, Goal.ABSENT)) == http(server())

    @pytest.mark.parametrize(
        ("listen", "url"),
        [
            (Endpoint("127.0.0.1", 80), "http://127.0.0.1:80/"),
            (Endpoint("::1", 889), "http://[::1]:889/"),
            (Endpoint("0.0.0.0", 889), "http://127.0.0.1:889/"),
            (Endpoint("::", 889), "http://[::1]:889/"),
        ],
    )
    def test_it_asks_where_the_responder_listens(self, listen, url):
        done = carried_out(seen(settings=replace(RESPONDER, serve=Serve(listen))))

        assert lines(config(done))[-1] == f"ssl_stapling_responder {url};"

    def test_staples_are_kept_for_it_and_no_server_reads_them(self):
        done = carried_out(seen(TWO, settings=RESPONDER, stored={SHOP: staple(SHOP)}))

        made = plan(replace(done, settings=Settings()), Goal.STATE_ONLY)

        assert made.empty
        assert [site.delivery for site in made.sites] == ["responder"]
        chains = wanted(replace(done, settings=Settings()), NGINX, Goal.STATE_ONLY)
        assert [chain.fingerprint for chain in chains] == [SHOP.sha256, BLOG.sha256]
        assert wanted_together(done, NGINX, Goal.STATE_ONLY) == ()

    def test_a_renewed_staple_is_no_reason_to_reload(self):
        done = carried_out(seen(settings=RESPONDER, stored={SHOP: staple(SHOP)}))
        renewed = replace(done, stored={SHOP.sha256: Stored(None)})

        assert not plan(renewed, Goal.STATE_ONLY).reload

    def test_a_line_that_somebody_wrote_counts_too_and_stays(self):
        own = seen("ssl_stapling on;", "ssl_stapling_verify on;", ASKING)

        made = plan(own, Goal.STATE_ONLY)
        assert [site.decision for site in made.sites] == [Decision.CONFIGURED]
        done = carried_out(own)
        assert config(done) == config(own)

    @pytest.mark.parametrize(
        ("given", "rule"),
        [
            pytest.param(("ssl_stapling off;",), "stapling-off-decided", id="off"),
            pytest.param(("ssl_stapling_file a.der;",), "staple-file-not-ours", id="a file"),
            pytest.param(
                ("ssl_stapling_responder http://o.example/;",), "conflicting-directive", id="other"
            ),
        ],
    )
    def test_what_somebody_decided_stays(self, given, rule):
        made = plan(seen(*given, settings=RESPONDER))

        assert not edited(made)
        assert rule in rules(made)

    def test_an_ipv6_address_and_a_resolver_do_not_go_together(self):
        ipv6 = replace(RESPONDER, serve=Serve(Endpoint("::1", 889)))

        made = plan(seen("resolver 127.0.0.53;", settings=ipv6))

        assert [site.decision for site in made.sites] == [Decision.REFUSED]

    def test_two_certificates_of_two_issuers_are_no_matter(self):
        other = Authority.create("Other").leaf(["b"], responders=["http://o.example/"])
        made = plan(
            machine(http(server(TWO)), {SHOP_PEM: SHOP, BLOG_PEM: other}, settings=RESPONDER)
        )

        assert [site.decision for site in made.sites] == [Decision.CONFIGURED]


class TestExchange:
    @pytest.mark.parametrize("before", [FILE, RESPONDER, LIVE], ids=lambda s: s.delivery)
    @pytest.mark.parametrize("after", [FILE, RESPONDER, LIVE], ids=lambda s: s.delivery)
    @pytest.mark.parametrize("own", [(), ("ssl_stapling on;",)], ids=["", "with a line of his"])
    def test_one_takes_the_place_of_the_other_and_all_of_it_goes(self, before, after, own):
        start = seen(*own, settings=before, stored={SHOP: staple(SHOP)})
        one = carried_out(start)
        fresh = carried_out(seen(*own, settings=after, stored={SHOP: staple(SHOP)}))

        two = carried_out(replace(one, settings=after))

        assert sorted(lines(config(two))) == sorted(lines(config(fresh)))
        assert plan(two).empty
        assert depending(two) == depending(fresh)
        gone = carried_out(two, Goal.ABSENT)
        assert config(gone) == config(start)

    def test_a_site_stays_with_what_it_has_where_nothing_is_asked_for(self):
        done = carried_out(seen(settings=RESPONDER))

        assert plan(replace(done, settings=Settings())).empty

    def test_without_the_record_the_line_itself_tells(self):
        done = carried_out(seen(settings=FILE, stored={SHOP: staple(SHOP)}))
        files = {str(path): None for path in held(done) if "/targets/" in str(path)}
        lost = replace(with_files(done, {RECORD: None, **files}), record=Record(), targets=())

        exchanged = carried_out(replace(lost, settings=RESPONDER))

        assert lines(config(exchanged))[-1] == ASKING
        assert not any("include" in line for line in lines(config(exchanged)))

    def test_a_line_of_another_delivery_that_somebody_wrote_is_a_conflict(self):
        key = "ssl-shop-6842c685"
        include = f"include /var/lib/staplecfg/nginx/{key}/*.conf;"
        other = carried_out(
            machine(
                http(server(include), server(name="b", certificate=BLOG_PEM)),
                FILES,
                settings=Settings(delivery="file", sites=("b",)),
            )
        )

        made = plan(replace(other, settings=Settings(delivery="responder", sites=("shop.*",))))

        assert not edited(made)
        assert "conflicting-directive" in rules(made)

    def test_another_port_takes_the_place_of_the_old(self):
        done = carried_out(seen(settings=RESPONDER))
        moved = replace(RESPONDER, serve=Serve(Endpoint("127.0.0.1", 99)))

        again = carried_out(replace(done, settings=moved))

        assert lines(config(again))[-1] == "ssl_stapling_responder http://127.0.0.1:99/;"
        assert len(lines(config(again))) == 3


class TestLive:
    def test_the_classic_lines(self):
        done = carried_out(seen(settings=LIVE))

        assert lines(config(done)) == [
            "ssl_stapling on;",
            "ssl_stapling_verify on;",
            "resolver 127.0.0.53 valid=30s;",
            f"ssl_trusted_certificate {TRUSTED};",
        ]
        assert wanted(done, NGINX, Goal.STATE_ONLY) == ()
        assert plan(done).empty

    def test_the_file_holds_the_intermediate_and_the_root_and_no_more(self):
        (change,) = [
            each for each in plan(seen(settings=LIVE)).changes if str(each.path) == TRUSTED
        ]

        assert change.kind is Kind.CONFIG
        assert written(change).count("BEGIN CERTIFICATE") == 2

    def test_it_goes_with_the_lines(self):
        done = carried_out(seen(settings=LIVE))

        gone = carried_out(done, Goal.ABSENT)

        assert held(gone) == held(seen(settings=LIVE))

    def test_a_renewal_of_another_kind_leaves_it_alone(self):
        done = carried_out(seen(settings=LIVE))

        assert plan(replace(done, settings=FILE), Goal.STATE_ONLY).empty
        excluded = Settings(delivery="file", exclude=("*",))
        made = plan(replace(done, settings=excluded))
        assert not [change for change in made.collect if str(change.path) == TRUSTED]

    @pytest.mark.parametrize("how", ["on", "optional", "optional_no_ca"])
    def test_never_a_trusted_file_where_client_certificates_are_verified(self, how):
        verifying = (f"ssl_verify_client {how};", "ssl_client_certificate /etc/ssl/ca.pem;")

        done = carried_out(seen(*verifying, settings=LIVE))

        assert not any("ssl_trusted" in line for line in lines(config(done)))
        assert "resolver 127.0.0.53 valid=30s;" in lines(config(done))

    def test_a_file_of_the_administrators_stays(self):
        done = carried_out(seen("ssl_trusted_certificate /etc/ssl/mine.pem;", settings=LIVE))

        assert [line for line in lines(config(done)) if "trusted" in line] == [
            "ssl_trusted_certificate /etc/ssl/mine.pem;"
        ]

    def test_no_resolver_but_from_the_settings(self):
        done = carried_out(seen(settings=Settings(delivery="live")))

        assert not any("resolver" in line for line in lines(config(done)))

    def test_an_unknown_root_is_no_file(self):
        unknown = machine(http(server()), FILES, settings=LIVE)

        assert not any("trusted" in line for line in lines(config(carried_out(unknown))))

    def test_a_responder_by_https_is_none_for_nginx(self):
        secure = AUTHORITY.leaf(["shop.example"], responders=["https://o.example/"])

        made = plan(machine(http(server()), {SHOP_PEM: secure}, settings=LIVE))

        assert [site.decision for site in made.sites] == [Decision.REFUSED]


class TestTogether:
    def test_two_certificates_of_one_block_are_wanted_at_once(self):
        (group,) = wanted_together(seen(TWO), NGINX, Goal.PRESENT)

        assert [chain.fingerprint for chain in group] == [SHOP.sha256, BLOG.sha256]

    def test_groups_that_share_one_become_one(self):
        third = AUTHORITY.leaf(["c"], responders=["http://ocsp.example/"])
        text = http(server(TWO), server("ssl_certificate /etc/ssl/c.pem;", name="c"))

        (group,) = wanted_together(
            machine(text, {**FILES, "/etc/ssl/c.pem": third}), NGINX, Goal.PRESENT
        )

        assert {chain.fingerprint for chain in group} == {SHOP.sha256, BLOG.sha256, third.sha256}

    def test_one_response_about_both_is_served(self):
        both = {each: staple(each) for each in (SHOP, BLOG)}

        made = plan(seen(TWO, stored=both))

        assert [change.kind for change in made.changes].count(Kind.STAPLE) == 1
        assert "no-common-response" not in rules(made)

    def test_one_certificates_staple_is_never_the_others(self):
        apart = {SHOP: staple(SHOP), BLOG: replace(staple(BLOG), der=b"another")}

        made = plan(seen(TWO, stored=apart))

        assert not any(change.kind is Kind.STAPLE for change in made.changes)
        assert "no-common-response" in rules(made)
        assert any("127.0.0.1:1" in written(c) for c in made.changes if c.kind is Kind.SNIPPET)

    def test_one_that_is_missing_leaves_both_without(self):
        made = plan(seen(TWO, stored={SHOP: staple(SHOP)}))

        assert not any(change.kind is Kind.STAPLE for change in made.changes)


class TestTheUnit:
    def test_the_responder_is_started_where_it_is_asked_and_goes_with_its_lines(self):
        done = carried_out(seen(settings=RESPONDER, running=OWNED))
        unit = "/etc/systemd/system/staplecfg-serve.service"
        contents = {str(path): data for path, data in held(done).items()}

        assert b"ExecStart=/usr/bin/staplecfg serve --listen=127.0.0.1:889\n" in contents[unit]
        assert b"Before=nginx.service\n" in contents[unit]
        assert b"CAP_NET_BIND_SERVICE" in contents[unit]
        again = carried_out(replace(done, settings=FILE))
        assert unit not in {str(path) for path in held(again)}

    def test_the_unit_stands_up_to_systemd(self, tmp_path):
        if shutil.which("systemd-analyze") is None:
            pytest.skip("systemd-analyze is not installed")
        done = carried_out(seen(settings=RESPONDER, running=OWNED))
        unit = PurePosixPath("/etc/systemd/system/staplecfg-serve.service")
        text = held(done)[unit].replace(b"/usr/bin/staplecfg", b"/bin/true")
        (tmp_path / unit.name).write_bytes(text)
        (tmp_path / "nginx.service").write_text("[Service]\nExecStart=/bin/true\n")

        verified = subprocess.run(
            ["systemd-analyze", "verify", "--man=no", str(tmp_path / unit.name)],
            capture_output=True,
            text=True,
            check=False,
            env={"PATH": "/usr/bin:/bin", "SYSTEMD_UNIT_PATH": f"{tmp_path}:"},
        )

        assert (verified.returncode, verified.stdout, verified.stderr) == (0, "", "")

    def test_nobody_who_starts_it_is_told(self):
        made = plan(
            seen(settings=replace(RESPONDER, unscheduled=True), running=replace(OWNED, unit=None))
        )

        assert "nothing-serves" in rules(made)

    def test_a_file_needs_none(self):
        done = carried_out(seen(settings=FILE, stored={SHOP: staple(SHOP)}))

        assert not any("serve" in str(path) for path in held(done))
