"""Nothing is served after its end, whoever of the two that look is absent; clocks are simulated."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from staplecfg.model.facts import Stored
from staplecfg.model.filesystem import MemoryFilesystem
from staplecfg.model.looks import RUN, Looks
from staplecfg.model.plan import Goal
from staplecfg.model.settings import Schedule, Settings
from staplecfg.model.target import Target
from staplecfg.planning import looking
from staplecfg.planning.planner import again
from staplecfg.planning.schedule import timer
from staplecfg.planning.servable import servable
from staplecfg.servers.nginx.server import NGINX
from tests.support.facts import NOW, SHOP, SHOP_PEM, http, server, staple
from tests.support.planned import WARM, carried_out, machine, plan, served, with_files

if TYPE_CHECKING:
    from staplecfg.model.facts import Facts

MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)

INTERVALS = [timedelta(minutes=each) for each in (2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60)]

ACCURACY = 30 * SECOND
"""AccuracySec of the units."""
PATIENCE = 30 * SECOND
"""How long the dead man waits for the lock."""
RELOADING = 60 * SECOND
"""What a test and a reload may take: nginx 1.22.1 with 5,000 sites took 26 s."""


def paths(facts: Facts) -> list[PurePosixPath]:
    """Return every file there is."""
    assert isinstance(facts.files, MemoryFilesystem)
    return [*facts.files.files]


def every(looks: Looks, **more: object) -> Facts:
    settings = Settings(looks=looks)
    return machine(http(server()), {SHOP_PEM: SHOP}, settings=settings, **more)  # type: ignore[arg-type]  # a test names the facts


LOOKS = st.sampled_from(INTERVALS).flatmap(
    lambda interval: st.builds(
        Looks,
        st.just(interval),
        st.one_of(
            st.none(), st.sampled_from([MINUTE, *(i for i in INTERVALS if 2 * i <= interval)])
        ),
    )
)


@given(
    looks=LOOKS,
    life=st.timedeltas(min_value=MINUTE, max_value=timedelta(hours=14)),
    late=st.lists(st.floats(0, 1), min_size=1, max_size=5),
    taking=st.lists(st.floats(0, 1), min_size=1, max_size=5),
)
def test_without_the_dead_man_warm_alone_serves_nothing_after_its_end(looks, life, late, taking):
    """A responder that is silent, after one answer: runs as late and as slow as can be."""
    one = staple(SHOP, age=timedelta(0), life=life)
    seen = every(looks, stored={SHOP: one})
    hour, runs, until = NOW, 0, NOW
    was_served = False
    while hour < one.expires + looks.interval:
        begins = hour + looks.delay * late[runs % len(late)]
        decides = begins + RUN * taking[runs % len(taking)]
        if was_served:
            assert decides < one.expires
        was_served = servable(SHOP.sha256, replace(seen, now=decides)) is one
        until = decides if was_served else until
        hour, runs = hour + looks.interval, runs + 1
    assert not was_served
    # As long as possible: given up no earlier than when the next run may come too late.
    assert until >= one.expires - looks.margin - looks.interval - looks.delay - RUN or not runs


@given(looks=LOOKS, first=st.floats(0, 1), held=st.booleans())
def test_without_warm_the_dead_man_alone_serves_nothing_after_its_end(looks, first, held):
    """The lock may be held by a staplecfg that hangs: then he goes ahead when it is overdue."""
    due = NOW - looks.dead_man_margin  # of a staple that ends at NOW
    waits_until = due + looks.overdue if held else due
    look = due - looks.dead_man * first
    while look < waits_until:
        look += looks.dead_man
    done = look + ACCURACY + (PATIENCE if held else timedelta(0)) + RELOADING

    assert done < NOW


@given(looks=LOOKS)
def test_while_warm_works_the_dead_man_has_nothing_to_do(looks):
    assert looks.dead_man_margin < looks.margin
    assert looks.dead_man <= looks.interval / 2


def test_of_each_staple_served_the_dead_man_knows_its_time():
    looks = Looks(10 * MINUTE)
    one = staple(SHOP, age=MINUTE, life=40 * MINUTE)
    done = carried_out(every(looks, stored={SHOP: one}))
    (listed,) = (path for path in paths(done) if path.suffix == ".list")
    lines = done.files.read(listed).decode().splitlines()

    (epoch,) = (int(line.split()[0]) for line in lines if line[:1].isdigit())
    assert epoch == int((one.expires - looks.dead_man_margin).timestamp())
    assert f"overdue {looks.dead_man.seconds}" in lines


@pytest.mark.parametrize(
    ("interval", "dead_man_looks"), [(2, 1), (3, 1), (4, 2), (5, 2), (6, 3), (10, 5), (60, 5)]
)
def test_the_dead_man_looks_twice_in_an_interval_and_every_five_minutes_at_least(
    interval, dead_man_looks
):
    looks = Looks(interval * MINUTE)

    assert looks.dead_man == dead_man_looks * MINUTE
    assert timer.calendar(looks.dead_man) == f"*:0/{dead_man_looks}"


def test_an_interval_in_the_settings_counts_from_the_next_apply_on():
    short = staple(SHOP, age=timedelta(0), life=30 * MINUTE)
    hourly = carried_out(every(Looks(), stored={SHOP: short}))
    assert servable(SHOP.sha256, hourly) is None
    wished = replace(hourly, settings=replace(hourly.settings, looks=Looks(6 * MINUTE)))

    renewed = plan(wished, Goal.STATE_ONLY)
    applied = plan(wished)

    assert looking.in_effect(wished) == Looks(60 * MINUTE, 5 * MINUTE)
    assert not served(renewed)
    assert served(applied)
    assert timer.TIMER in [change.path for change in applied.changes]
    assert again(wished, applied, NGINX, warm_command=WARM).empty


def test_where_nothing_of_ours_calls_warm_the_settings_are_a_promise():
    settings = Settings(looks=Looks(6 * MINUTE), schedule=Schedule.NONE, unscheduled=True)
    done = carried_out(machine(http(server()), {SHOP_PEM: SHOP}, settings=settings))
    promised = replace(done, settings=replace(settings, looks=Looks(30 * MINUTE)))

    assert not done.record.units
    assert looking.in_effect(promised) == Looks(30 * MINUTE)


def test_units_look_as_often_as_the_target_that_needs_it_most():
    done = carried_out(every(Looks(30 * MINUTE)))
    other = Target(
        "nginx", PurePosixPath("/srv/b/nginx.conf"), keys=("b-1",), looks=Looks(6 * MINUTE)
    )
    beside = replace(done, targets=(*done.targets, other))

    assert looking.in_effect(beside) == Looks(6 * MINUTE, 3 * MINUTE)
    (unit,) = (each for each in plan(beside).changes if each.path == timer.TIMER)
    assert unit.after is not None
    assert b"OnCalendar=*:0/6\nRandomizedDelaySec=60\n" in unit.after.data


def test_state_from_before_intervals_were_kept_was_hourly():
    done = carried_out(every(Looks()))
    (path,) = (path for path in paths(done) if path.parent.name == "targets")
    text = done.files.read(path).decode()
    old = "".join(line for line in text.splitlines(keepends=True) if "interval" not in line)
    old = old.replace('"served": false,', '"served": false')

    before = with_files(done, {str(path): old.encode()})

    assert looking.in_effect(before) == Looks(60 * MINUTE, 5 * MINUTE)


def test_out_of_sight_the_dead_man_goes_by_the_reload_command_alone():
    seen = every(Looks(), stored={SHOP: Stored(staple(SHOP))})
    unseen = replace(seen, settings=replace(seen.settings, unseen=True))

    def listed(facts: Facts) -> str:
        done = carried_out(facts)
        (path,) = (path for path in paths(done) if path.suffix == ".list")
        return done.files.read(path).decode()

    assert "\npid " in listed(seen)
    assert "\npid " not in listed(unseen)
