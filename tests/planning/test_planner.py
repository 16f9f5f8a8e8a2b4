"""Whole plans, no-ops first: what is changed, what is left alone, and why."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import PurePosixPath

import pytest

from staplecfg.model.change import Kind
from staplecfg.model.errors import UsageProblem
from staplecfg.model.facts import Running, Stored
from staplecfg.model.filesystem import Overlay
from staplecfg.model.finding import Severity
from staplecfg.model.plan import Decision, Goal, Plan
from staplecfg.model.settings import Responders, Schedule, Settings
from staplecfg.planning import planner
from staplecfg.servers.nginx.dialect import NginxDialect
from staplecfg.servers.nginx.server import NGINX
from tests.support.authority import Authority, Issued, issue, private_key
from tests.support.facts import (
    AUTHORITY,
    BLOG,
    DAY,
    MAIN,
    NOW,
    PLAIN,
    SHOP,
    SHOP_PEM,
    STRICT,
    http,
    server,
    staple,
)
from tests.support.planned import (
    OWNED,
    RECORD,
    STATE_DIR,
    carried_out,
    config,
    edited,
    machine,
    plan,
    rules,
    served,
    with_files,
    with_template,
    written,
)

KEY = "ssl-shop-6842c685"
LINE = f"include {STATE_DIR}/nginx/{KEY}/*.conf;"
OURS = ("ssl_stapling on;", "ssl_stapling_verify on;", LINE)
FILES: dict[str, bytes | Issued] = {SHOP_PEM: SHOP}

EXPIRED = AUTHORITY.leaf(responders=["http://o.example/"], not_after=NOW - DAY)
FUTURE = AUTHORITY.leaf(responders=["http://o.example/"], not_before=NOW + DAY)
SELF_SIGNED = issue("selfish", private_key("ec", "selfish"), None)
ORPHAN = replace(SHOP, chain=())
FOREIGN = Authority.create("Other").leaf(["shop.example"], responders=["http://ocsp.example/"])
ELSEWHERE = AUTHORITY.leaf(["shop.example"], responders=["http://elsewhere.example/"])


def left_alone(made: Plan) -> tuple[Decision, str]:
    (site,) = made.sites
    assert not edited(made)
    return site.decision, site.reason


@pytest.mark.parametrize(
    ("text", "files", "more", "decision", "reason"),
    [
        pytest.param(
            server(), {SHOP_PEM: PLAIN}, {}, Decision.SKIPPED, "no OCSP responder", id="no URL"
        ),
        pytest.param(server(), {}, {}, Decision.REFUSED, "cannot be used", id="no certificate"),
        pytest.param(
            server(), {SHOP_PEM: b"?"}, {}, Decision.REFUSED, "cannot be used", id="no PEM"
        ),
        pytest.param(
            server(), {SHOP_PEM: EXPIRED}, {}, Decision.SKIPPED, "has expired", id="expired"
        ),
        pytest.param(
            server(), {SHOP_PEM: FUTURE}, {}, Decision.SKIPPED, "not valid yet", id="future"
        ),
        pytest.param(
            server(), {SHOP_PEM: SELF_SIGNED}, {}, Decision.SKIPPED, "self-signed", id="selfish"
        ),
        pytest.param(
            server(), {SHOP_PEM: ORPHAN}, {}, Decision.SKIPPED, "without its issuer", id="leaf only"
        ),
        pytest.param(
            server(),
            FILES,
            {"settings": Settings(exclude=("shop.*",))},
            Decision.SKIPPED,
            "not selected",
            id="excluded",
        ),
        pytest.param(
            server(),
            FILES,
            {"settings": Settings(sites=("blog.example",))},
            Decision.SKIPPED,
            "not selected",
            id="another was asked for",
        ),
        pytest.param(
            server(),
            FILES,
            {"settings": Settings(responders=Responders(override={"http://ocsp.example/": ""}))},
            Decision.SKIPPED,
            "let us ask",
            id="the settings forbid to ask",
        ),
        pytest.param(
            server("ssl_stapling off;"), FILES, {}, Decision.SKIPPED, "is set here", id="off"
        ),
        pytest.param(
            "ssl_stapling off;\n" + server(),
            FILES,
            {},
            Decision.SKIPPED,
            "is set here",
            id="off inherited",
        ),
        pytest.param(
            server("include off.conf;"),
            {**FILES, "/etc/nginx/off.conf": b"ssl_stapling OFF;\n"},
            {},
            Decision.SKIPPED,
            "is set here",
            id="off included",
        ),
        pytest.param(
            server("ssl_stapling on;", "ssl_stapling_file /etc/ssl/shop.ocsp;"),
            FILES,
            {},
            Decision.SKIPPED,
            "somebody else writes",
            id="a staple file of the administrator's",
        ),
        pytest.param(
            "ssl_stapling_file /etc/ssl/shop.ocsp;\n" + server(),
            FILES,
            {},
            Decision.SKIPPED,
            "somebody else writes",
            id="a staple file inherited",
        ),
        pytest.param(
            server("ssl_stapling_responder http://o.example/;"),
            FILES,
            {},
            Decision.REFUSED,
            "needs the directive for itself",
            id="a responder that our snippet would repeat",
        ),
        pytest.param(
            server("include r.conf;"),
            {**FILES, "/etc/nginx/r.conf": b"ssl_stapling_responder http://o.example/;\n"},
            {},
            Decision.REFUSED,
            "needs the directive for itself",
            id="a responder included",
        ),
        pytest.param(
            server('ssl_stapling_file "";'),
            FILES,
            {},
            Decision.REFUSED,
            "needs the directive for itself",
            id="an empty staple file, which our snippet would repeat",
        ),
        pytest.param(
            server("ssl_stapling_verify off;"),
            FILES,
            {},
            Decision.REFUSED,
            "is set here",
            id="another value",
        ),
        pytest.param(
            server("ssl_certificate /etc/ssl/rsa.pem;"),
            {**FILES, "/etc/ssl/rsa.pem": FOREIGN},
            {},
            Decision.REFUSED,
            "of different issuers",
            id="two certificates of two issuers",
        ),
        pytest.param(
            server("ssl_certificate /etc/ssl/rsa.pem;"),
            {**FILES, "/etc/ssl/rsa.pem": ELSEWHERE},
            {},
            Decision.REFUSED,
            "no responder is named by all",
            id="two certificates of two responders",
        ),
        pytest.param(
            server(certificate="/etc/ssl/$ssl_server_name.pem"),
            {},
            {},
            Decision.REFUSED,
            "from a variable",
            id="a variable",
        ),
        pytest.param(
            server("ssl_certificate_compression on;"),
            FILES,
            {"version": (1, 29, 3)},
            Decision.REFUSED,
            "compression",
            id="certificate compression",
        ),
        pytest.param(
            server("ssl_reject_handshake on;"),
            FILES,
            {},
            Decision.SKIPPED,
            "every handshake is rejected",
            id="no handshakes",
        ),
    ],
)
def test_a_site_is_left_alone(text, files, more, decision, reason):
    made = plan(machine(http(text), files, **more))

    found, why = left_alone(made)
    assert found is decision
    assert reason in why
    assert made.empty


@pytest.mark.parametrize(
    ("context", "version", "decision"),
    [
        pytest.param("mail", (1, 29, 0), Decision.SKIPPED, id="mail never"),
        pytest.param("stream", (1, 27, 1), Decision.SKIPPED, id="stream, too old"),
        pytest.param("stream", (), Decision.REFUSED, id="stream, version unknown"),
        pytest.param("stream", (1, 27, 2), Decision.CONFIGURED, id="stream"),
        pytest.param("http", (), Decision.CONFIGURED, id="http, version unknown"),
    ],
)
def test_nginx_staples_where_it_can(context, version, decision):
    text = http(server(), context=context)

    made = plan(machine(text, FILES, version=version))

    assert [site.decision for site in made.sites] == [decision]
    assert bool(edited(made)) == (decision is Decision.CONFIGURED)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(server(*OURS), id="ours"),
        pytest.param(server(*reversed(OURS)), id="in another order"),
        pytest.param(server("ssl_stapling ON;", "ssl_stapling_verify On;", LINE), id="in capitals"),
        pytest.param("ssl_stapling on; ssl_stapling_verify on;\n" + server(LINE), id="inherited"),
        pytest.param(server("include params.conf;", LINE), id="included"),
        pytest.param(server("include ours.conf;"), id="all of it included"),
        pytest.param(server(f'include "{LINE[8:-1]}";', *OURS[:2]), id="quoted"),
    ],
)
def test_a_block_that_has_its_lines_is_not_edited(text):
    files = {
        **FILES,
        "/etc/nginx/params.conf": " ".join(OURS[:2]).encode(),
        "/etc/nginx/ours.conf": "\n".join(OURS).encode(),
    }

    made = plan(machine(http(text), files))

    assert not edited(made)
    assert [site.decision for site in made.sites] == [Decision.CONFIGURED]
    assert any(change.path.name == "staple.conf" for change in made.changes)


@pytest.mark.parametrize(
    ("present", "added"),
    [
        pytest.param([], OURS, id="all three"),
        pytest.param([OURS[0]], OURS[1:], id="stapling is on"),
        pytest.param(list(OURS[:2]), OURS[2:], id="all but the line"),
        pytest.param([LINE], OURS[:2], id="the line was written by a configuration manager"),
    ],
)
def test_what_is_missing_is_inserted_and_taken_out_again(present, added):
    seen = machine(http(server(*present)), FILES)

    done = carried_out(seen)

    assert config(done) == http(server(*added, *present))
    assert plan(done).empty
    assert carried_out(done, Goal.ABSENT).files == seen.files


def test_a_site_that_a_file_of_another_site_includes_is_not_edited_for_it():
    shared = "/etc/nginx/shared.conf"
    seen = machine(
        http(server("include shared.conf;"), server("include shared.conf;", name="b.example")),
        {**FILES, shared: b"ssl_stapling_verify off;\n"},
        settings=Settings(sites=("shop.example",), replace=("ssl_stapling_verify",)),
    )

    made = plan(seen)

    assert made.empty
    assert rules(made).count("conflicting-directive") == 1
    assert "change it there" in (made.findings[0].hint or "")


@pytest.mark.parametrize(
    ("name", "there"),
    [
        pytest.param("ssl_stapling", "ssl_stapling  off ;", id="off"),
        pytest.param("ssl_stapling_verify", "ssl_stapling_verify off;", id="verify off"),
        pytest.param(
            "ssl_stapling_responder", "ssl_stapling_responder 'http://o/';", id="a responder"
        ),
        pytest.param("ssl_stapling_file", "ssl_stapling_file  /a.der;", id="a staple file: adopt"),
        pytest.param("ssl_stapling_file", 'ssl_stapling_file "";', id="an empty staple file"),
    ],
)
def test_what_is_replaced_is_given_back(name, there):
    settings = Settings(sites=("shop.example",), replace=(name,))
    seen = machine(http(server(there)), FILES, settings=settings)

    done = carried_out(seen)

    assert there not in config(done)
    assert all(line in config(done) for line in OURS)
    assert plan(done).empty
    assert carried_out(done, Goal.ABSENT).files == seen.files


def test_nothing_is_replaced_unless_a_site_is_named():
    settings = Settings(replace=("ssl_stapling",))

    made = plan(machine(http(server("ssl_stapling off;")), FILES, settings=settings))

    assert not edited(made)


def test_what_is_inherited_is_overruled_in_the_block_alone():
    settings = Settings(sites=("shop.example",), replace=("ssl_stapling",))
    text = "ssl_stapling off;\n" + server()

    done = carried_out(machine(http(text), FILES, settings=settings))

    assert config(done) == http("ssl_stapling off;\n" + server(*OURS))


def test_two_directives_in_the_way_are_both_given_back():
    names = ("ssl_stapling_file", "ssl_stapling_responder")
    settings = Settings(sites=("*",), replace=names)
    there = ("ssl_stapling_file /a.der;", "ssl_stapling_responder http://o/;")
    seen = machine(http(server(*there)), FILES, settings=settings)

    done = carried_out(seen)

    assert not any(line in config(done) for line in there)
    assert carried_out(done, Goal.ABSENT).files == seen.files


def test_a_staple_comes_before_the_snippet_that_names_it_and_that_before_the_line():
    made = plan(machine(http(server()), FILES, stored={SHOP: staple(SHOP)}))

    kinds = [change.kind for change in made.changes]
    assert kinds.index(Kind.STAPLE) < kinds.index(Kind.SNIPPET) < kinds.index(Kind.CONFIG)
    assert made.reload


def test_several_blocks_of_a_file_are_one_change():
    text = http(server(), server(name="b.example"), server(name="c.example"))

    (change,) = edited(plan(machine(text, FILES)))

    assert written(change).count(LINE) == 3


def test_a_link_is_edited_at_its_target():
    target = "/etc/nginx/sites-available/shop"
    seen = machine(
        http("include sites-enabled/*;"),
        {**FILES, target: (server() + "\n").encode()},
        links={"/etc/nginx/sites-enabled/shop": "../sites-available/shop"},
    )

    (change,) = edited(plan(seen))

    assert change.path == PurePosixPath(target)


def test_a_file_that_is_refused_does_not_keep_the_others_from_going_on():
    generated = "/etc/nginx/conf.d/users/shop.conf"
    seen = machine(
        http("include conf.d/users/*.conf;", server(name="blog.example")),
        {**FILES, generated: (server() + "\n").encode()},
    )

    made = plan(seen)

    assert [change.path for change in edited(made)] == [MAIN]
    assert {site.site.title: site.decision for site in made.sites} == {
        "shop.example": Decision.REFUSED,
        "blog.example": Decision.CONFIGURED,
    }
    (finding,) = [one for one in made.findings if one.rule == "generated-file"]
    assert LINE in (finding.hint or "")


def test_the_line_of_certificates_that_were_here_before_serves_nothing_and_is_replaced():
    seen = carried_out(machine(http(server()), FILES, stored={SHOP: staple(SHOP)}))
    moved = config(seen).replace(SHOP_PEM, "/etc/ssl/new.pem")
    swapped = with_files(seen, {str(MAIN): moved.encode(), "/etc/ssl/new.pem": BLOG})

    warmed = plan(swapped, Goal.STATE_ONLY)
    done = carried_out(swapped)

    assert rules(warmed) == ["line-of-other-certificates"]
    (snippet,) = served(warmed)
    assert "http://127.0.0.1:1/" in written(snippet)
    assert KEY not in config(done)
    assert config(done).count("include") == 1
    assert plan(done).empty
    gone = carried_out(done, Goal.ABSENT)
    assert config(gone) == http(server(certificate="/etc/ssl/new.pem"))


def test_a_shared_line_that_fits_only_one_of_its_sites_serves_nothing():
    seen = machine(
        http(
            server("include ours.conf;"),
            server("include ours.conf;", name="b", certificate="/etc/ssl/b.pem"),
        ),
        {**FILES, "/etc/ssl/b.pem": BLOG, "/etc/nginx/ours.conf": "\n".join(OURS).encode()},
        stored={SHOP: staple(SHOP), BLOG: staple(BLOG)},
    )

    made = plan(seen)

    assert not any(change.kind is Kind.STAPLE for change in made.changes)
    assert any("127.0.0.1:1" in written(change) for change in made.changes)


@pytest.mark.parametrize(
    ("beside", "known", "said"),
    [
        pytest.param("ssl_stapling_responder http://o/;", {}, "", id="a responder, withdrawn"),
        pytest.param(
            "ssl_stapling_responder http://o/;",
            {SHOP: staple(SHOP)},
            "ssl_stapling_file",
            id="a responder, served",
        ),
        pytest.param("ssl_stapling_file /a.der;", {SHOP: staple(SHOP)}, "", id="a file, served"),
    ],
)
@pytest.mark.parametrize("goal", [Goal.PRESENT, Goal.STATE_ONLY])
def test_state_never_repeats_what_stands_beside_our_line(beside, known, said, goal):
    seen = machine(http(server(*OURS, beside)), FILES, stored=known)

    made = plan(seen, goal)

    (snippet,) = [change for change in made.changes if change.path.name == "staple.conf"]
    directives = [line for line in written(snippet).splitlines() if line[0] != "#"]
    assert [line.partition(" ")[0] for line in directives] == said.split()
    assert not edited(made)


def test_a_demand_that_nobody_can_meet_is_an_error():
    strict = AUTHORITY.leaf(["shop.example"], must_staple=True)

    made = plan(machine(http(server()), {SHOP_PEM: strict}))

    found = [one for one in made.findings if one.rule == "must-staple-no-responder"]
    assert [one.severity for one in found] == [Severity.ERROR]


def test_state_alone_leaves_the_configuration_and_the_unconfigured_alone():
    stored = {SHOP: staple(SHOP), BLOG: staple(BLOG)}
    text = http(server(*OURS), server(name="b", certificate="/etc/ssl/b.pem"))
    seen = machine(text, {**FILES, "/etc/ssl/b.pem": BLOG}, stored=stored)

    made = plan(seen, Goal.STATE_ONLY)

    assert [change.kind for change in served(made)] == [Kind.STAPLE, Kind.SNIPPET]
    assert {change.kind for change in made.changes} == {Kind.STAPLE, Kind.SNIPPET, Kind.RECORD}
    assert made.reload
    assert plan(carried_out(seen, Goal.STATE_ONLY), Goal.STATE_ONLY).empty


def test_a_new_staple_displaces_the_old_one_only_after_the_reload():
    seen = carried_out(machine(http(server()), FILES, stored={SHOP: staple(SHOP, age=3 * DAY)}))
    renewed = replace(seen, stored={SHOP.sha256: Stored(staple(SHOP))})

    made = plan(renewed, Goal.STATE_ONLY)

    assert [change.op for change in served(made)] == ["create", "modify"]
    assert [(change.op, change.kind) for change in made.collect] == [("delete", Kind.STAPLE)]
    assert made.collect[0].path not in {change.path for change in made.changes}


def test_a_staple_that_ends_before_the_next_run_is_withdrawn():
    seen = carried_out(machine(http(server()), FILES, stored={SHOP: staple(SHOP)}))
    late = replace(seen, now=NOW + 6 * DAY - timedelta(minutes=30))

    made = plan(late, Goal.STATE_ONLY)

    (snippet,) = served(made)
    assert 'ssl_stapling_file "";' in written(snippet)
    assert "ssl_stapling_responder http://127.0.0.1:1/;" in written(snippet)
    assert made.reload


def test_an_unselected_site_that_has_our_line_keeps_its_state():
    text = http(server(), server(name="b", certificate="/etc/ssl/b.pem"))
    files = {**FILES, "/etc/ssl/b.pem": BLOG}
    seen = carried_out(machine(text, files, stored={SHOP: staple(SHOP), BLOG: staple(BLOG)}))

    made = plan(replace(seen, settings=Settings(sites=("shop.example",))))

    assert made.empty


def test_staples_that_nothing_renews_are_planned_with_an_error_to_refuse_them_by():
    seen = machine(http(server()), FILES, running=Running(4121))

    made = plan(seen)

    assert edited(made)
    (finding,) = made.findings
    assert (finding.rule, finding.severity) == ("nothing-renews", Severity.ERROR)


def test_staples_that_the_user_renews_are_configured_with_a_note():
    seen = machine(
        http(server()), FILES, running=Running(4121), settings=Settings(unscheduled=True)
    )

    made = plan(seen)

    assert edited(made)
    (finding,) = made.findings
    assert (finding.rule, finding.severity) == ("nothing-renews", Severity.NOTE)


def test_where_nothing_is_configured_nothing_is_scheduled():
    made = plan(machine(http(server()), {SHOP_PEM: PLAIN}, running=OWNED))

    assert made.empty


def test_an_unknown_delivery_is_the_users_mistake():
    seen = machine(http(server()), FILES, settings=Settings(delivery="carrier-pigeon"))

    with pytest.raises(UsageProblem, match="carrier-pigeon"):
        plan(seen)


def test_must_staple_without_a_staple_yet_is_configured_all_the_same():
    made = plan(machine(http(server()), {SHOP_PEM: STRICT}))

    assert [site.decision for site in made.sites] == [Decision.CONFIGURED]


def test_a_template_of_the_users_own_decides_what_is_inserted():
    more = "add_header X-Stapled {{ 'yes; no' | quoted }};\n"
    seen = with_template(machine(http(server()), FILES), "nginx/file/site.conf.j2", more)

    done = carried_out(seen)

    assert config(done) == http(server(*OURS, 'add_header X-Stapled "yes; no";'))
    assert carried_out(done, Goal.ABSENT).files == seen.files


class Forgetful(NginxDialect):
    """Never sees what was put in: whoever plans with it would never come to rest."""

    def configuration(self, files, installation, settings):
        files = files.below if isinstance(files, Overlay) else files
        return super().configuration(files, installation, settings)


def test_an_edit_that_would_be_made_again_and_again_is_not_made():
    forgetful = replace(NGINX, dialect=Forgetful())

    made = planner.plan(
        machine(http(server()), FILES), forgetful, Goal.PRESENT, warm_command=("staplecfg",)
    )

    assert not edited(made)
    assert rules(made) == ["unsafe-edit"]
    assert [site.decision for site in made.sites] == [Decision.REFUSED]


def test_a_schedule_that_is_turned_off_is_taken_away():
    done = carried_out(machine(http(server()), FILES))

    off = replace(done, settings=Settings(schedule=Schedule.NONE, unscheduled=True))
    made = plan(off)

    assert {change.path for change in made.collect} == set(done.record.units)
    assert [change.path.name for change in made.collect[-3:]] == [
        "staplecfg.timer",
        "staplecfg.timer",
        "staplecfg.service",
    ]
    assert [str(change.path) for change in made.changes] == [RECORD]


def test_a_line_around_all_sites_is_overruled_by_a_sites_own():
    text = http(
        LINE,
        server(*OURS),
        server(name="b", certificate="/etc/ssl/b.pem"),
    )
    seen = machine(
        text, {**FILES, "/etc/ssl/b.pem": BLOG}, stored={SHOP: staple(SHOP), BLOG: staple(BLOG)}
    )

    done = carried_out(carried_out(seen, Goal.STATE_ONLY))

    first, second = done.configuration.sites
    assert SHOP.sha256 in first.value("ssl_stapling_file")
    assert BLOG.sha256 in second.value("ssl_stapling_file")
    assert plan(done).empty
    assert config(carried_out(done, Goal.ABSENT)) == text


def test_a_directive_that_no_line_can_take_the_place_of_is_for_a_person():
    settings = Settings(sites=("*",), replace=("ssl_stapling_responder",))
    seen = machine(
        http(server(*OURS, "ssl_stapling_responder http://o/;")), FILES, settings=settings
    )

    made = plan(seen)

    (found,) = [one for one in made.findings if one.rule == "conflicting-directive"]
    assert "by hand" in (found.hint or "")


@pytest.mark.parametrize("name", ["/var/a*b", "/var/a?", "/var/[a]", "/var/a\\b"])
def test_a_state_directory_that_nginx_would_read_as_a_pattern_is_refused(name):
    seen = machine(http(server()), FILES, settings=Settings(state_dir=PurePosixPath(name)))

    made = plan(seen)

    assert rules(made) == ["delivery-misfit"]
    assert not edited(made)


def test_two_paths_that_come_to_one_key_serve_nothing_and_that_is_said():
    # Found by trying 54,544 names: the slug is cut and 32 bits of the digest are equal.
    one, other = (f"/etc/ssl/{'x' * 45}{number}.pem" for number in (29996, 54543))
    text = http(server(certificate=one), server(certificate=other, name="b"))
    seen = machine(text, {one: SHOP, other: BLOG}, stored={SHOP: staple(SHOP), BLOG: staple(BLOG)})

    made = plan(seen)

    assert rules(made) == ["line-of-other-certificates"]
    assert not any(change.kind is Kind.STAPLE for change in made.changes)
