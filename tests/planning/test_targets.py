"""Targets: written, read, planned for, and the other ones beside them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import pytest

from staplecfg.model.change import Kind
from staplecfg.model.errors import NotUnderstood
from staplecfg.model.facts import Record, Running, Stored
from staplecfg.model.filesystem import MemoryFilesystem
from staplecfg.model.plan import Goal
from staplecfg.model.settings import Settings
from staplecfg.model.target import NoTarget, Target
from staplecfg.planning import dead_man, targeted
from staplecfg.planning.targets import decode, encode, identity, load, path
from tests.support.facts import DAY, MAIN, SHOP, SHOP_PEM, http, server, staple
from tests.support.planned import STATE_DIR, carried_out, machine, plan, with_files

if TYPE_CHECKING:
    from staplecfg.model.facts import Facts
    from tests.support.authority import Issued

CONFIG = PurePosixPath("/srv/caf\udce9/nginx.conf")
FULL = Target(
    server="nginx",
    config=CONFIG,
    binary=PurePosixPath("/usr/sbin/nginx"),
    prefix=PurePosixPath("/srv"),
    settings=PurePosixPath("/etc/staplecfg/b.toml"),
    flags={"trust": ("/a.pem", "/b.pem"), "responders.proxy": "http://proxy:3128"},
    unit="nginx@b.service",
    keys=("a-1", "b-2"),
    files=(PurePosixPath("/srv/sites/\udcff.conf"),),
    directories=(PurePosixPath("/etc/live/b"),),
    stores=(PurePosixPath("/var/lib/apache2/md"),),
)


@pytest.mark.parametrize(
    "target", [pytest.param(FULL, id="full"), pytest.param(Target("nginx", CONFIG), id="bare")]
)
def test_a_target_comes_back_as_it_was(target):
    assert decode(encode(target)) == target
    assert encode(target).isascii()


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("schema", 2),
        ("server", ""),
        ("config", "relative"),
        ("binary", 1),
        ("flags", {"no_such": "x"}),
        ("flags", {"trust": [1]}),
        ("flags", []),
        ("keys", ["../out"]),
        ("keys", ["a/b"]),
        ("keys", ".."),
        ("directories", [None]),
        ("files", None),
        ("stores", ["md"]),
    ],
)
def test_a_member_of_the_wrong_kind_is_refused(member, value):
    body = {**json.loads(encode(FULL)), member: value}

    with pytest.raises(NotUnderstood):
        decode(json.dumps(body).encode())


def test_what_cannot_be_read_is_told_and_what_is_not_ours_is_passed_over():
    good = path("nginx", CONFIG, STATE_DIR)
    wrong = path("nginx", MAIN, STATE_DIR)
    bad = STATE_DIR / "targets" / f"nginx-{'0' * 16}.json"
    files = MemoryFilesystem(
        {
            good: encode(FULL),
            wrong: encode(FULL),
            bad: b"{",
            STATE_DIR / "targets" / ".staplecfg-1.tmp": b"",
            STATE_DIR / "targets" / "README": b"",
        }
    )

    found = load(files, STATE_DIR)

    assert [each for each in found if isinstance(each, Target)] == [FULL]
    assert {each.path for each in found if isinstance(each, NoTarget)} == {wrong, bad}


def seen(**more: object) -> Facts:
    return machine(http(server()), {SHOP_PEM: SHOP}, stored={SHOP: staple(SHOP)}, **more)  # type: ignore[arg-type]  # a test names the facts


def own(done: Facts) -> Target:
    found = targeted.known(done)
    assert found is not None
    return found


def test_apply_remembers_what_was_said_and_seen():
    flags: dict[str, str | tuple[str, ...]] = {
        "trust": ("/r.pem",),
        "sites": ("*",),
        "state_dir": str(STATE_DIR),
    }
    done = carried_out(seen(settings=Settings(flags=flags, file=PurePosixPath("/s.toml"))))

    target = own(done)

    assert target.flags == {"trust": ("/r.pem",)}
    assert target.settings == PurePosixPath("/s.toml")
    assert target.unit == "nginx.service"
    assert target.files == (MAIN,)
    assert target.directories == (PurePosixPath("/etc/ssl"),)
    assert plan(done).empty


def test_a_renewal_keeps_what_apply_was_told_and_the_unit_of_a_stopped_server():
    done = carried_out(seen(settings=Settings(flags={"trust": ("/r.pem",)})))
    later = replace(done, settings=Settings(), running=Running(None, systemd=True))

    assert plan(later, Goal.STATE_ONLY).empty


def other(*keys: str) -> dict[str, bytes | Issued | None]:
    """Return the file of another target that reads the state of `keys`."""
    target = replace(FULL, keys=keys)
    return {str(path(target.server, target.config, STATE_DIR)): encode(target)}


def snippets(done: Facts) -> list[str]:
    return [
        name
        for name in done.files.listing(STATE_DIR / "nginx")
        if done.files.exists(STATE_DIR / "nginx" / name / "staple.conf")
    ]


def test_state_that_another_target_reads_is_no_litter():
    done = carried_out(seen())
    (key,) = own(done).keys
    theirs = f"{STATE_DIR}/nginx/theirs-1/staple.conf"
    beside = with_files(done, {**other(key, "theirs-1"), theirs: b"# theirs\n"})

    gone = carried_out(beside, Goal.ABSENT)

    assert snippets(gone) == sorted([key, "theirs-1"])
    assert targeted.known(gone) is None
    assert gone.files.exists(dead_man.script(STATE_DIR))
    assert [each.config for each in targeted.others(gone)] == [CONFIG]


def test_the_schedule_stays_for_those_that_are_left_and_is_about_them_alone():
    done = carried_out(seen())
    beside = carried_out(with_files(done, other("theirs-1")))
    unit = "/etc/systemd/system/staplecfg-changed.path"
    assert b"/etc/ssl\n" in beside.files.read(PurePosixPath(unit))
    assert b"/etc/live/b\n" in beside.files.read(PurePosixPath(unit))

    gone = carried_out(beside, Goal.ABSENT)

    assert b"/etc/ssl" not in gone.files.read(PurePosixPath(unit))
    units = [str(each) for each in gone.record.units]
    assert not [each for each in units if "nginx.service.wants" in each]
    assert [each for each in units if "nginx@b.service.wants" in each]


def test_a_target_that_cannot_be_read_may_read_anything():
    done = carried_out(seen())
    (key,) = own(done).keys
    beside = with_files(done, {f"{STATE_DIR}/targets/nginx-{'0' * 16}.json": b"{"})

    gone = carried_out(beside, Goal.ABSENT)

    assert snippets(gone) == [key]
    assert gone.record.units


def test_what_another_target_has_changed_is_told_to_this_one_too():
    done = carried_out(seen())
    newer = replace(staple(SHOP, age=DAY / 2), der=b"newer")
    renewed = replace(done, stored={SHOP.sha256: Stored(newer)})
    made = plan(renewed, Goal.STATE_ONLY)
    listed = dead_man.of_target(identity("nginx", MAIN), STATE_DIR)[0]
    theirs: dict[str, bytes | Issued | None] = {
        str(change.path): change.after.data
        for change in made.changes
        if change.path != listed and change.after is not None
    }

    told = plan(with_files(renewed, theirs), Goal.STATE_ONLY)

    assert [change.path for change in told.changes] == [listed]
    assert told.reload


def test_a_server_that_is_gone_is_forgotten_with_all_it_had():
    done = carried_out(seen())
    assert isinstance(done.files, MemoryFilesystem)
    left = {name: data for name, data in done.files.files.items() if name != MAIN}
    lost = replace(
        done,
        files=MemoryFilesystem(left, done.files.links),
        configuration=replace(done.configuration, files={}, sites=()),
        running=Running(None, systemd=True),
    )

    made = plan(lost, Goal.ABSENT)

    collected = {change.path for change in made.collect}
    assert path("nginx", MAIN, STATE_DIR) in collected
    assert dead_man.script(STATE_DIR) in collected
    assert set(done.record.units) <= collected
    assert not [change for change in made.changes if change.kind is not Kind.RECORD]


def test_lines_of_somebody_else_are_not_taken_for_ours_where_nothing_was_put_in():
    """apply found every line in place, as a configuration manager had written it."""
    done = carried_out(seen())
    written = done.files.read(MAIN)
    theirs = machine(
        written.decode(), {SHOP_PEM: SHOP}, stored={SHOP: staple(SHOP)}, running=Running(1)
    )
    theirs = replace(theirs, settings=Settings(unscheduled=True))
    known = carried_out(theirs)
    assert known.record == Record()
    assert own(known).files == ()

    gone = carried_out(known, Goal.ABSENT)

    assert gone.files.read(MAIN) == written
