"""The directories that came to be with the schedule go with it, and no others do."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import pytest

from staplecfg.applying.carry_out import Manner, carry_out
from staplecfg.applying.report import Steps
from staplecfg.applying.watch import Watch
from staplecfg.model.change import Change, Content, Kind
from staplecfg.model.facts import Record, Running
from staplecfg.model.plan import Goal, Plan
from staplecfg.model.settings import Settings
from staplecfg.servers.nginx.server import NGINX
from tests.support.facts import SHOP, SHOP_PEM, http, server
from tests.support.planned import carried_out, machine, with_files

if TYPE_CHECKING:
    from pathlib import Path

UNITS = PurePosixPath("/etc/systemd/system")
WANTS = UNITS / "nginx.service.wants"


def test_what_was_not_there_is_remembered_and_what_was_is_not():
    seen = machine(http(server()), {SHOP_PEM: SHOP})
    there = with_files(seen, {str(UNITS / "timers.target.wants" / "x.timer"): b""})

    made = carried_out(there).record.directories

    assert WANTS in made
    assert UNITS not in made
    assert UNITS / "timers.target.wants" not in made


def test_it_is_forgotten_with_the_units():
    done = carried_out(machine(http(server()), {SHOP_PEM: SHOP}))
    again = carried_out(done)

    assert again.record.directories == done.record.directories
    assert carried_out(done, Goal.ABSENT).record.directories == ()


@pytest.mark.parametrize(
    ("ours", "beside", "left"),
    [
        pytest.param(True, False, False, id="made by us, and empty"),
        pytest.param(True, True, True, id="somebody put something in"),
        pytest.param(False, False, True, id="not made by us"),
    ],
)
def test_a_directory_goes_where_it_was_made_by_us_and_is_empty(tmp_path: Path, ours, beside, left):
    directory = tmp_path / "nginx.service.wants"
    directory.mkdir()
    (directory / "ours").write_bytes(b"x")
    if beside:
        (directory / "theirs").write_bytes(b"y")
    gone = Change(PurePosixPath(directory / "ours"), Kind.RECORD, Content(b"x"), None)
    made = (PurePosixPath(directory),) if ours else ()
    settings = Settings(state_dir=PurePosixPath(tmp_path / "state"))
    seen = machine(http(server()), {SHOP_PEM: SHOP}, running=Running(None), settings=settings)
    facts = replace(seen, record=Record(directories=made))
    plan = Plan(Goal.ABSENT, (), (gone,), (), (), reload=False)

    carry_out(
        plan,
        facts,
        Watch(NGINX, facts, lambda: datetime.now(timezone.utc)),
        Manner(),
        Steps(lambda _: None),
        included=lambda _: False,
    )

    assert not (directory / "ours").exists()
    assert directory.exists() is left
