"""What staplecfg put in comes out, byte for byte; what it did not put in stays."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import pytest

from staplecfg.model.facts import Record
from staplecfg.model.plan import Decision, Goal
from staplecfg.model.settings import Settings
from tests.support.facts import BLOG, MAIN, SHOP, SHOP_PEM, http, server, staple
from tests.support.planned import (
    RECORD,
    STATE_DIR,
    carried_out,
    config,
    edited,
    machine,
    plan,
    rules,
    with_files,
    with_template,
)

if TYPE_CHECKING:
    from staplecfg.model.facts import Facts
    from tests.support.authority import Issued

LINE = f"include {STATE_DIR}/nginx/ssl-shop-6842c685/*.conf;"
OURS = ("ssl_stapling on;", "ssl_stapling_verify on;", LINE)
BLOG_PEM = "/etc/ssl/blog.pem"
MORE = "expires 1h;\n"


def applied(text: str) -> Facts:
    files: dict[str, bytes | Issued] = {SHOP_PEM: SHOP, BLOG_PEM: BLOG}
    stored = {SHOP: staple(SHOP), BLOG: staple(BLOG)}
    return carried_out(machine(text, files, stored=stored))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(http(server("ssl_stapling off;")), id="off"),
        pytest.param(http(server("ssl_stapling on;", "ssl_stapling_verify on;")), id="classic"),
        pytest.param("events {}\n", id="no sites"),
    ],
)
def test_where_nothing_is_ours_nothing_is_removed(text):
    seen = machine(text, {SHOP_PEM: SHOP})

    made = plan(seen, Goal.ABSENT)

    assert made.empty
    assert not made.reload


@pytest.mark.parametrize(
    "block",
    [
        pytest.param(server(), id="lines"),
        pytest.param(server().replace("    ", "\t"), id="tabs"),
        pytest.param(server().replace("\n", "\r\n"), id="carriage returns"),
        pytest.param(server().replace("\n", " "), id="one line"),
        pytest.param(server().replace(";", "; # x {"), id="comments"),
        pytest.param(server().replace(" {", "\n{"), id="braces below"),
        pytest.param(server() + " # \udcff caf\u00e9", id="no UTF-8"),
        pytest.param(server().replace("    ", ""), id="no indentation"),
        pytest.param(server(name="a").replace(SHOP_PEM, f'"{SHOP_PEM}"'), id="quotes"),
    ],
)
@pytest.mark.parametrize("end", ["", "\n", "\n\n# end"])
def test_the_exact_bytes_come_back(block, end):
    text = f"events {{}}\nhttp {{\n{block}\n}}{end}"
    seen = machine(text, {SHOP_PEM: SHOP}, stored={SHOP: staple(SHOP)})

    done = carried_out(seen)

    assert done.files != seen.files
    assert carried_out(done, Goal.ABSENT).files == seen.files


def test_what_changed_meanwhile_stays_changed():
    done = applied(http(server()))
    changed = config(done).replace("server_name", "keepalive_timeout 9;\n    server_name")
    done = with_files(done, {str(MAIN): changed.encode()})

    gone = carried_out(done, Goal.ABSENT)

    assert config(gone) == http(server()).replace(
        "server_name", "keepalive_timeout 9;\n    server_name"
    )


def test_lines_moved_about_by_a_person_are_found():
    done = applied(http(server()))
    moved = config(done).replace("    ssl_stapling on;\n", "")
    moved = moved.replace("    listen", "    ssl_stapling on; # moved\n    listen")
    done = with_files(done, {str(MAIN): moved.encode()})

    gone = carried_out(done, Goal.ABSENT)

    assert "stapling" not in config(gone)
    assert "# moved" in config(gone)


def test_two_blocks_of_one_key_get_back_what_each_had():
    text = http(server(), server(*OURS[:2], name="b"), server(OURS[0], name="c"))
    seen = machine(text, {SHOP_PEM: SHOP})

    done = carried_out(seen)

    assert config(done).count(LINE) == 3
    assert carried_out(done, Goal.ABSENT).files == seen.files


def test_without_the_record_the_line_and_what_stands_before_it_go():
    done = applied(http(server(name="a")))
    lost = replace(with_files(done, {RECORD: None}), record=Record())

    gone = carried_out(lost, Goal.ABSENT)

    assert config(gone) == http(server(name="a"))


def test_without_the_record_a_directive_set_apart_stays():
    text = http(server(OURS[0], "keepalive_timeout 9;", OURS[1], LINE))
    seen = machine(text, {SHOP_PEM: SHOP})

    gone = carried_out(seen, Goal.ABSENT)

    assert config(gone) == http(server(OURS[0], "keepalive_timeout 9;"))


def test_lines_that_a_configuration_manager_wrote_stay_and_find_nothing():
    text = http(server(), server(*OURS, name="b"))
    done = applied(text)

    gone = carried_out(done, Goal.ABSENT)

    assert config(gone) == text
    assert not gone.files.listing(STATE_DIR)


def test_only_what_is_selected_is_removed():
    text = http(server(), server(name="blog.example", certificate=BLOG_PEM))
    done = replace(applied(text), settings=Settings(sites=("blog.example",)))

    made = plan(done, Goal.ABSENT)
    gone = carried_out(done, Goal.ABSENT)

    assert config(gone) == http(server(*OURS), server(name="blog.example", certificate=BLOG_PEM))
    assert [site.decision for site in made.sites] == [Decision.CONFIGURED, Decision.SKIPPED]
    assert gone.record.units
    assert [each.key for each in gone.record.inserted] == ["ssl-shop-6842c685"]
    assert plan(gone, Goal.ABSENT).empty


def test_a_block_that_speaks_no_tls_any_more_is_cleared_too():
    done = applied(http(server()))
    plain = config(done).replace("443 ssl", "80")
    done = with_files(done, {str(MAIN): plain.encode()})

    gone = carried_out(done, Goal.ABSENT)

    assert config(gone) == http(server()).replace("443 ssl", "80")


def test_lines_whose_include_a_person_took_out_go_too():
    done = applied(http(server()))
    done = with_files(done, {str(MAIN): config(done).replace(f"    {LINE}\n", "").encode()})

    gone = carried_out(done, Goal.ABSENT)

    assert config(gone) == http(server())


def test_a_file_that_is_not_read_now_is_left_with_a_note():
    text = http("include sites/*.conf;")
    site = "/etc/nginx/sites/shop.conf"
    done = carried_out(machine(text, {SHOP_PEM: SHOP, site: server().encode() + b"\n"}))
    off = with_files(done, {str(MAIN): http().encode()})

    made = plan(off, Goal.ABSENT)

    assert rules(made) == ["lines-in-a-file-not-read"]
    assert not edited(made)
    assert not any("ssl-shop" in str(change.path) for change in made.collect)


def test_a_file_that_may_not_be_edited_keeps_its_state():
    done = applied(http(server()))
    header = "# Do not modify this file because it was generated automatically\n"
    done = with_files(done, {str(MAIN): (header + config(done)).encode()})

    made = plan(done, Goal.ABSENT)

    assert rules(made) == ["generated-file"]
    assert made.empty


def test_a_block_that_is_gone_is_forgotten():
    blog = server(name="blog.example", certificate=BLOG_PEM)
    done = applied(http(server(), blog))
    done = with_files(done, {str(MAIN): config(applied(http(blog))).encode()})

    gone = carried_out(done, Goal.ABSENT)

    assert config(gone) == http(blog)
    assert gone.record == Record()
    assert not gone.files.listing(STATE_DIR)


def test_what_was_taken_out_by_hand_and_put_in_again_goes_at_once():
    done = applied(http(server()))
    done = with_files(done, {str(MAIN): config(done).replace(f"    {LINE}\n", "").encode()})

    gone = carried_out(carried_out(done), Goal.ABSENT)

    assert config(gone) == http(server())
    assert gone.record == Record()


def test_two_blocks_of_one_key_get_back_what_was_replaced_in_each():
    text = http(server("ssl_stapling off;"), server("ssl_stapling  'off' ;", name="b"))
    settings = Settings(sites=("*",), replace=("ssl_stapling",))
    seen = machine(text, {SHOP_PEM: SHOP}, settings=settings)

    done = carried_out(seen)

    assert config(done).count("ssl_stapling on;") == 2
    assert carried_out(done, Goal.ABSENT).files == seen.files


def test_lines_in_a_file_that_was_renamed_go_too():
    text = http("include sites/*;")
    block = server("ssl_stapling off;").encode()
    settings = Settings(sites=("*",), replace=("ssl_stapling",))
    files: dict[str, bytes | Issued] = {SHOP_PEM: SHOP, "/etc/nginx/sites/shop": block}
    done = carried_out(machine(text, files, settings=settings))
    new = done.files.read(PurePosixPath("/etc/nginx/sites/shop"))
    renamed = with_files(done, {"/etc/nginx/sites/shop": None, "/etc/nginx/sites/new": new})

    gone = carried_out(renamed, Goal.ABSENT)

    assert gone.files.read(PurePosixPath("/etc/nginx/sites/new")) == block
    assert gone.record == Record()


def test_lines_of_a_renamed_file_are_remembered_by_the_next_apply():
    text = http("include sites/*;")
    files: dict[str, bytes | Issued] = {
        SHOP_PEM: SHOP,
        BLOG_PEM: BLOG,
        "/etc/nginx/sites/shop": server().encode(),
    }
    done = carried_out(machine(text, files))
    new = done.files.read(PurePosixPath("/etc/nginx/sites/shop"))
    blog = server(name="blog.example", certificate=BLOG_PEM).encode()
    renamed = with_files(
        done,
        {
            "/etc/nginx/sites/shop": None,
            "/etc/nginx/sites/new": new,
            "/etc/nginx/sites/blog": blog,
        },
    )

    both = carried_out(renamed)

    assert {str(each.file) for each in both.record.inserted} == {
        "/etc/nginx/sites/new",
        "/etc/nginx/sites/blog",
    }


def test_a_block_that_was_not_moved_keeps_its_memory_from_a_line_elsewhere():
    text = http("include sites/*;", server(*OURS, name="puppet"))
    files: dict[str, bytes | Issued] = {SHOP_PEM: SHOP, "/etc/nginx/sites/shop": server().encode()}
    done = replace(carried_out(machine(text, files)), settings=Settings(sites=("puppet",)))

    gone = carried_out(done, Goal.ABSENT)

    assert config(gone) == text
    assert rules(plan(done, Goal.ABSENT)) == ["line-left"]


def test_a_copied_block_keeps_its_lines_and_that_is_said():
    done = applied(http(server()))
    ours = server(*OURS)
    done = with_files(done, {str(MAIN): http(ours, server(*OURS, name="copy")).encode()})

    made = plan(done, Goal.ABSENT)

    assert rules(made) == ["line-left"]
    assert config(carried_out(done, Goal.ABSENT)) == http(server(), server(*OURS, name="copy"))


def test_what_an_earlier_template_said_goes_too():
    name = "nginx/file/site.conf.j2"
    seen = machine(http(server()), {SHOP_PEM: SHOP}, stored={SHOP: staple(SHOP)})
    done = carried_out(with_template(seen, name, "add_header A 1;\n"))

    changed = carried_out(replace(done, templates=with_template(seen, name, MORE).templates))
    gone = carried_out(changed, Goal.ABSENT)

    assert "add_header" not in config(changed)
    assert "expires 1h;" in config(changed)
    assert config(gone) == http(server())
