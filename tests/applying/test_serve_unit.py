"""The local responder's unit: up before a server is told to ask, and gone with an undone apply."""

from __future__ import annotations

import pytest

from staplecfg.applying import schedule
from staplecfg.applying.report import Steps
from staplecfg.model.change import Change, Content, Kind
from staplecfg.model.errors import NotApplied
from staplecfg.model.facts import Running
from staplecfg.planning.schedule.serve import SERVICE

SYSTEMD = Running(master=1, systemd=True)
UNIT = Content(b"[Unit]\n")
NEW = Change(SERVICE, Kind.UNIT, None, UNIT)
CHANGED = Change(SERVICE, Kind.UNIT, Content(b"[Unit]\n# old\n"), UNIT)
GONE = Change(SERVICE, Kind.UNIT, UNIT, None)
OTHER = Change(SERVICE.with_name("staplecfg.service"), Kind.UNIT, None, UNIT)


@pytest.fixture
def systemctl(tmp_path, monkeypatch):
    """Put a `systemctl` on the PATH that writes down its words, and fails where asked to."""
    program = tmp_path / "systemctl"
    program.write_text(f'#!/bin/sh\necho "$*" >>{tmp_path}/log\n[ ! -e {tmp_path}/fail ]\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    return tmp_path


def words(directory) -> list[str]:
    log = directory / "log"
    return log.read_text().splitlines() if log.exists() else []


@pytest.mark.parametrize("change", [NEW, CHANGED], ids=["new", "changed"])
def test_it_is_started_once_systemd_knows_it(systemctl, change):
    told: list[str] = []

    schedule.serve_before([OTHER, change], SYSTEMD, Steps(lambda step: told.append(step.name)))

    assert told == ["started"]
    assert words(systemctl) == ["daemon-reload", "restart staplecfg-serve.service"]


@pytest.mark.parametrize(
    ("changes", "running"),
    [
        pytest.param([OTHER], SYSTEMD, id="another unit"),
        pytest.param([GONE], SYSTEMD, id="it goes"),
        pytest.param([NEW], Running(master=1), id="no systemd"),
    ],
)
def test_otherwise_nobody_is_told(systemctl, changes, running):
    schedule.serve_before(changes, running, Steps(lambda _: None))

    assert words(systemctl) == []


def test_one_that_does_not_come_up_ends_the_apply(systemctl):
    (systemctl / "fail").touch()

    with pytest.raises(NotApplied):
        schedule.serve_before([NEW], SYSTEMD, Steps(lambda _: None))


def test_an_undone_apply_stops_what_it_started(systemctl):
    schedule.read_again([NEW], SYSTEMD)

    assert words(systemctl) == ["stop staplecfg-serve.service", "daemon-reload"]


def test_an_undone_apply_brings_back_what_was_there(systemctl):
    schedule.read_again([CHANGED], SYSTEMD)

    assert words(systemctl) == ["daemon-reload", "restart staplecfg-serve.service"]
