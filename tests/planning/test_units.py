"""The schedule: what renews staples, decided by what is there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import pytest

from staplecfg.model.change import Kind
from staplecfg.model.errors import UsageProblem
from staplecfg.model.facts import Record, Running
from staplecfg.model.plan import Goal
from staplecfg.model.settings import Schedule, Settings
from staplecfg.planning import units
from staplecfg.planning.command_line import for_cron, for_systemd
from tests.support.facts import SHOP, SHOP_PEM, http, server
from tests.support.planned import OWNED, carried_out, machine, plan, rules, with_files

if TYPE_CHECKING:
    from staplecfg.model.facts import Facts

SYSTEMD_ONLY = Running(4121, systemd=True)
CRON = Running(4121, cron=True)
NOTHING = Running(4121)


def seen(running: Running = OWNED, record: Record | None = None, **more: object) -> Facts:
    settings = Settings(**more)  # type: ignore[arg-type]  # a test names the settings
    facts = machine(http(server()), {SHOP_PEM: SHOP}, running=running, settings=settings)
    return replace(facts, record=record or Record())


@pytest.mark.parametrize(
    ("facts", "kept"),
    [
        pytest.param(seen(OWNED), Schedule.SYSTEMD, id="a unit owns the server"),
        pytest.param(seen(SYSTEMD_ONLY), Schedule.NONE, id="a laboratory's server under systemd"),
        pytest.param(seen(CRON), Schedule.CRON, id="cron, and the machine's own server"),
        pytest.param(
            seen(CRON, config=PurePosixPath("/tmp/nginx.conf")),  # noqa: S108 - a name
            Schedule.NONE,
            id="cron, and some configuration",
        ),
        pytest.param(seen(NOTHING), Schedule.NONE, id="neither"),
        pytest.param(seen(Running(None, systemd=True)), Schedule.NONE, id="stopped"),
        pytest.param(
            seen(Running(None, systemd=True), Record(units=(units.SERVICE,))),
            Schedule.SYSTEMD,
            id="stopped, and scheduled before",
        ),
        pytest.param(seen(OWNED, schedule=Schedule.NONE), Schedule.NONE, id="the user says none"),
        pytest.param(seen(OWNED, schedule=Schedule.CRON), Schedule.CRON, id="the user says cron"),
        pytest.param(
            seen(NOTHING, schedule=Schedule.SYSTEMD), Schedule.SYSTEMD, id="the user says systemd"
        ),
        pytest.param(
            seen(CRON, root=PurePosixPath("/srv/image")), Schedule.NONE, id="another machine"
        ),
    ],
)
def test_what_renews_follows_from_what_is_there(facts, kept):
    assert units.mode(facts) is kept


def test_the_timer_is_there_and_enabled():
    made = units.schedule(seen(), ("/opt/staple cfg/bin/staplecfg", "warm", "--config", "/a%b"))

    assert [change.path for change in made.changes] == [units.SERVICE, units.TIMER, units.ENABLED]
    service, _, link = (change.after for change in made.changes)
    assert service is not None
    assert link is not None
    assert b'ExecStart="/opt/staple cfg/bin/staplecfg" warm --config "/a%%b"\n' in service.data
    assert b"ReadWritePaths=-/var/lib/staplecfg\n" in service.data
    assert link.link == str(units.TIMER)
    assert made.units == (units.SERVICE, units.TIMER, units.ENABLED)


def test_a_table_of_crons_is_one_line_as_root():
    made = units.schedule(seen(CRON), ("/usr/bin/staplecfg", "warm", "--config", "/a b%"))

    (change,) = made.changes
    assert change.path == units.CRON
    assert change.after is not None
    line = change.after.data.decode().splitlines()[-1]
    assert line.endswith(" * * * * root /usr/bin/staplecfg warm --config '/a b\\%'")
    assert 0 <= int(line.split()[0]) < 60
    assert change.after.data.endswith(b"\n")


def test_a_unit_that_somebody_else_wrote_stays():
    own = with_files(seen(), {str(units.SERVICE): b"[Service]\nExecStart=/bin/mine\n"})

    made = plan(own)

    assert not [change for change in made.changes if change.path.name.startswith("staplecfg.")]
    assert rules(made) == ["schedule-not-ours"]
    assert [site.decision.value for site in made.sites] == ["configured"]


def test_a_masked_timer_renews_nothing():
    masked = machine(
        http(server()), {SHOP_PEM: SHOP}, links={str(units.TIMER): "/dev/null"}, running=OWNED
    )

    made = plan(masked)

    assert sorted(rules(made)) == ["nothing-renews", "schedule-not-ours"]
    assert not [change for change in made.changes if change.kind is Kind.UNIT]


def test_a_unit_of_ours_is_brought_up_to_date():
    done = carried_out(seen())
    older = with_files(done, {str(units.TIMER): b"[Timer]\nOnCalendar=weekly\n"})

    (change,) = plan(older).changes

    assert change.path == units.TIMER
    assert change.op == "modify"


def test_the_schedule_goes_with_the_last_site():
    done = carried_out(seen())

    made = plan(done, Goal.ABSENT)

    gone = [change.path for change in made.collect]
    assert gone.index(units.ENABLED) < gone.index(units.TIMER) < gone.index(units.SERVICE)


@pytest.mark.parametrize("word", ["", "a\nb", "\x1b"])
def test_a_word_that_no_schedule_can_hold_is_refused(word):
    for write in (for_systemd, for_cron):
        with pytest.raises(UsageProblem):
            write(["staplecfg", word])


@pytest.mark.parametrize(
    ("word", "written"),
    [
        ("/usr/bin/staplecfg", "/usr/bin/staplecfg"),
        ("a b", '"a b"'),
        ("$HOME", '"$$HOME"'),
        ("100%", '"100%%"'),
        ('"', '"\\""'),
        ("\\", '"\\\\"'),
        ("'", '"\'"'),
        (";", '";"'),
    ],
)
def test_a_word_is_written_for_systemd(word, written):
    assert for_systemd(["a", word]) == f"a {written}"
