"""systemd told of units, by a stand-in for `systemctl` that is really run."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from staplecfg.applying import schedule
from staplecfg.applying.report import Steps
from staplecfg.model.change import Change, Content, Kind
from staplecfg.model.errors import NotApplied
from staplecfg.model.facts import Running

UNITS = PurePosixPath("/etc/systemd/system")
SYSTEMD = Running(master=1, systemd=True)


@pytest.fixture
def systemctl(tmp_path, monkeypatch):
    """Put a `systemctl` on the PATH that writes down its words, and fails where asked to."""
    log = tmp_path / "log"
    program = tmp_path / "systemctl"
    program.write_text(
        f'#!/bin/sh\necho "$*" >>{log}\n'
        f'[ -e {tmp_path}/fail ] && {{ echo "Access denied"; exit 1; }}\nexit 0\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    return log


def change(
    name: str, *, before: bool = False, after: bool = True, kind: Kind = Kind.UNIT
) -> Change:
    there = Content(b"[Unit]\n")
    return Change(UNITS / name, kind, there if before else None, there if after else None)


def take_effect(*changes: Change, running: Running = SYSTEMD) -> list[str]:
    told: list[str] = []
    schedule.take_effect(changes, running, Steps(lambda step: told.append(step.name)))
    return told


def words(log) -> list[str]:
    return log.read_text().splitlines() if log.exists() else []


@pytest.mark.parametrize(
    ("changes", "running"),
    [
        pytest.param((), SYSTEMD, id="nothing"),
        pytest.param((change("shop.conf", kind=Kind.CONFIG),), SYSTEMD, id="configuration"),
        pytest.param((change("staplecfg"),), SYSTEMD, id="a cron table"),
        pytest.param((change("staplecfg.timer"),), Running(master=1), id="no systemd"),
    ],
)
def test_nobody_is_told_of_what_is_no_unit_of_a_running_systemd(systemctl, changes, running):
    assert take_effect(*changes, running=running) == []
    assert words(systemctl) == []


def test_a_new_timer_is_started_once_systemd_knows_it(systemctl):
    told = take_effect(change("staplecfg.service"), change("staplecfg.timer"))

    assert told == ["scheduled"]
    assert words(systemctl) == ["daemon-reload", "restart staplecfg.timer"]


def test_the_path_unit_is_started_and_the_boot_unit_only_asked_for(systemctl):
    wants = UNITS / "nginx.service.wants" / "staplecfg-boot@nginx.service"
    link = Change(
        wants, Kind.LINK, None, Content(link="/etc/systemd/system/staplecfg-boot@.service")
    )
    enabled = Change(
        UNITS / "timers.target.wants" / "staplecfg.timer", Kind.LINK, None, Content(link="x")
    )

    take_effect(change("staplecfg-boot@.service"), change("staplecfg-changed.path"), enabled, link)

    assert words(systemctl) == [
        "daemon-reload",
        "restart staplecfg-changed.path",
        "start --no-block staplecfg-boot@nginx.service",
    ]


def test_what_a_server_no_longer_wants_is_stopped(systemctl):
    wants = UNITS / "nginx.service.wants" / "staplecfg-boot@nginx.service"
    gone = Change(wants, Kind.LINK, Content(link="x"), None)

    take_effect(gone, change("staplecfg-changed.path", before=True, after=False))

    assert words(systemctl) == [
        "stop staplecfg-changed.path",
        "stop staplecfg-boot@nginx.service",
        "reset-failed staplecfg-boot@nginx.service",
        "reset-failed staplecfg-changed.path",
        "daemon-reload",
    ]


def test_a_timer_is_stopped_before_systemd_forgets_it(systemctl):
    take_effect(change("staplecfg.timer", before=True, after=False))

    assert words(systemctl) == [
        "stop staplecfg.timer",
        "reset-failed staplecfg.timer",
        "daemon-reload",
    ]


def test_a_systemd_that_refuses_is_an_error(systemctl):
    (systemctl.parent / "fail").touch()

    with pytest.raises(NotApplied) as raised:
        take_effect(change("staplecfg.timer"))

    assert "Access denied" in raised.value.problem
    assert raised.value.hint is not None
