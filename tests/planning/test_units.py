"""The schedule: what renews staples, decided by what is there."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import pytest

from staplecfg.model.change import Kind
from staplecfg.model.errors import UsageProblem
from staplecfg.model.facts import Record, Running
from staplecfg.model.filesystem import MemoryFilesystem
from staplecfg.model.plan import Goal
from staplecfg.model.settings import Schedule, Settings
from staplecfg.model.target import Target
from staplecfg.planning import units
from staplecfg.planning.command_line import for_cron, for_systemd
from staplecfg.planning.schedule import boot, cron, dead_man, hooks, path, timer
from staplecfg.planning.schedule.needs import Needs
from tests.support.facts import SHOP, SHOP_PEM, http, server
from tests.support.planned import (
    OWNED,
    WARM,
    again,
    carried_out,
    machine,
    plan,
    rules,
    with_files,
    written,
)

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
            seen(Running(None, systemd=True), Record(units=(timer.SERVICE,))),
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


def needs(facts: Facts, *targets: Target, command: tuple[str, ...] = WARM) -> Needs:
    return Needs(facts, command, targets)


def made_of(facts: Facts, *targets: Target, command: tuple[str, ...] = WARM) -> dict[str, str]:
    """Return what the schedule writes, by name: text of files, `-> target` of links."""
    return {
        str(change.path): f"-> {change.after.link}" if change.after.link else written(change)
        for change in units.schedule(needs(facts, *targets, command=command)).changes
        if change.after is not None
    }


def lines(text: str, key: str) -> list[str]:
    """Return the values of `key` in a unit file."""
    return [line.partition("=")[2] for line in text.splitlines() if line.startswith(f"{key}=")]


def target(name: str, **more: object) -> Target:
    return Target("nginx", PurePosixPath(f"/etc/{name}/nginx.conf"), **more)  # type: ignore[arg-type]  # a test names the fields


def test_the_timer_is_there_and_enabled():
    command = ("/opt/staple cfg/bin/staplecfg", "warm", "--config", "/a%b")
    made = made_of(seen(), target("a", prefix=PurePosixPath("/srv/my web")), command=command)

    assert list(made)[:3] == [str(timer.SERVICE), str(timer.TIMER), str(timer.ENABLED)]
    service = made[str(timer.SERVICE)]
    assert lines(service, "ExecStart") == ['"/opt/staple cfg/bin/staplecfg" warm --config "/a%%b"']
    assert lines(service, "ReadWritePaths") == [
        "-/var/lib/staplecfg",
        '-"/srv/my web"',
        "-/etc/systemd/system",
    ]
    assert lines(made[str(timer.TIMER)], "RandomizedDelaySec") == ["600"]
    assert made[str(timer.ENABLED)] == f"-> {timer.TIMER}"


def test_a_store_that_is_not_ours_may_be_written_by_whoever_puts_staples_there():
    """`strict`: the unit before a start would leave what has expired there."""
    store = PurePosixPath("/var/lib/apache2/md")

    made = made_of(seen(), target("a", unit="apache2.service", stores=(store,)), target("b"))

    for unit in (boot.UNIT, timer.SERVICE, dead_man.SERVICE):
        assert f"-{store}" in lines(made[str(unit)], "ReadWritePaths")


def test_certificates_are_watched_by_directory_whoever_they_belong_to():
    state = PurePosixPath("/var/lib/staplecfg")
    one = target("a", directories=(PurePosixPath("/etc/live/100%"), state / "nginx"))
    two = target("b", directories=(PurePosixPath("/srv/a b"), PurePosixPath("/etc/x ")))

    made = made_of(seen(), one, two)

    unit = made[str(path.PATH)]
    assert lines(unit, "PathChanged") == ["/etc/live/100%%", "/srv/a b"]
    service = made[str(path.SERVICE)]
    assert lines(service, "StartLimitIntervalSec") == ["0"]
    assert lines(service, "ExecStartPre") == ["/bin/sleep 2"]
    assert lines(service, "ExecStart") == [f"-{' '.join(WARM)}", " ".join(WARM)]
    assert made[str(path.ENABLED)] == f"-> {path.PATH}"


def test_where_there_is_nothing_to_watch_nothing_watches():
    assert str(path.PATH) not in made_of(seen(), target("a"))


def test_more_directories_than_systemd_can_watch_are_said():
    many = tuple(PurePosixPath(f"/etc/live/{number:03}") for number in range(path.MOST + 1))

    scheduled = units.schedule(needs(seen(), target("a", directories=many)))

    assert [each.rule for each in scheduled.findings] == ["certificates-not-watched"]
    watching = made_of(seen(), target("a", directories=many))[str(path.PATH)]
    assert len(lines(watching, "PathChanged")) == path.MOST


def test_each_server_wants_an_instance_of_the_boot_unit_before_it():
    one, two = target("a", unit="nginx.service"), target("b", unit="nginx@b.service")

    made = made_of(seen(), one, two, target("c"), target("d", unit="nginx.service"))

    unit = made[str(boot.UNIT)]
    for key in ("Before", "PartOf", "ReloadPropagatedFrom"):
        assert lines(unit, key) == ["%i.service"]
    commands = [
        "-/bin/sh /var/lib/staplecfg/dead-man.sh --no-reload",
        f"-{' '.join(WARM)} --offline",
    ]
    assert lines(unit, "ExecStart") == commands
    assert lines(unit, "ExecReload") == commands
    assert lines(unit, "RemainAfterExit") == ["yes"]
    wants = {name: to for name, to in made.items() if ".service.wants/" in name}
    assert list(wants) == [
        "/etc/systemd/system/nginx.service.wants/staplecfg-boot@nginx.service",
        "/etc/systemd/system/nginx@b.service.wants/staplecfg-boot@nginx@b.service",
    ]
    assert set(wants.values()) == {f"-> {boot.UNIT}"}


def test_certbot_gets_a_hook_where_it_keeps_hooks():
    elsewhere = with_files(seen(), {str(hooks.DIRECTORY / "50-mail"): b"#!/bin/sh\n"})

    scheduled = units.schedule(needs(elsewhere, command=("/usr/bin/staple cfg", "warm")))

    (hook,) = (change for change in scheduled.changes if change.path == hooks.HOOK)
    assert hook.after is not None
    assert hook.after.mode == 0o755
    assert written(hook).startswith("#!/bin/sh\n")
    assert "exec '/usr/bin/staple cfg' warm" in written(hook)
    assert str(hooks.HOOK) not in made_of(seen())


def test_a_table_of_crons_has_a_line_each_as_root():
    made = made_of(seen(CRON), command=("/usr/bin/staplecfg", "warm", "--config", "/a b%"))

    assert list(made) == [str(cron.TABLE)]
    table = made[str(cron.TABLE)]
    hourly, dead_man, reboot = table.splitlines()[-3:]
    warm = "/usr/bin/staplecfg warm --config '/a b\\%' >/dev/null"
    assert hourly.endswith(f" * * * * root {warm}")
    assert 0 <= int(hourly.split()[0]) < 60
    assert dead_man == "*/5 * * * * root /bin/sh /var/lib/staplecfg/dead-man.sh"
    assert reboot == f"@reboot root /bin/sh /var/lib/staplecfg/dead-man.sh; {warm}"
    assert table.endswith("\n")


def test_every_shipped_unit_stands_up_to_systemd(tmp_path):
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    one = target("a", unit="nginx.service", directories=(PurePosixPath("/etc/ssl"),))
    made = made_of(seen(), one, command=("/bin/true", "warm", "100%", "a b"))
    files = [tmp_path / PurePosixPath(name).name for name, text in made.items() if text[:2] != "->"]
    for name, text in made.items():
        if text[:2] != "->":
            (tmp_path / PurePosixPath(name).name).write_text(text)
    (tmp_path / "nginx.service").write_text("[Service]\nExecStart=/bin/true\n")
    instance = tmp_path / "staplecfg-boot@nginx.service"
    names = [str(instance if "@" in file.name else file) for file in files]

    verified = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", *names],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", "SYSTEMD_UNIT_PATH": f"{tmp_path}:"},
    )

    assert len(files) == 7
    assert (verified.returncode, verified.stdout, verified.stderr) == (0, "", "")


def test_a_unit_that_somebody_else_wrote_stays():
    own = with_files(seen(), {str(timer.SERVICE): b"[Service]\nExecStart=/bin/mine\n"})

    made = plan(own)

    assert not [change for change in made.changes if change.kind is Kind.UNIT]
    assert rules(made) == ["schedule-not-ours"]
    assert [site.decision.value for site in made.sites] == ["configured"]


def test_a_path_unit_that_is_masked_leaves_the_rest():
    masked = machine(
        http(server()), {SHOP_PEM: SHOP}, links={str(path.PATH): "/dev/null"}, running=OWNED
    )

    made = plan(masked)

    assert rules(made) == ["schedule-not-ours"]
    written_units = [change.path for change in made.changes if change.kind is Kind.UNIT]
    assert timer.SERVICE in written_units
    assert path.SERVICE not in written_units


def test_renewing_keeps_the_watched_directories_true_and_touches_nothing_else():
    done = carried_out(seen())
    assert "PathChanged=/etc/ssl\n" in done.files.read(path.PATH).decode()
    moved = with_files(done, {SHOP_PEM: None, "/srv/acme/shop.pem": SHOP, str(timer.TIMER): b"#"})
    assert isinstance(moved.files, MemoryFilesystem)
    links = {**moved.files.links, PurePosixPath(SHOP_PEM): "/srv/acme/shop.pem"}
    changed = again(moved, MemoryFilesystem(moved.files.files, links))

    made = plan(changed, Goal.STATE_ONLY)

    (unit,) = (change for change in made.collect if change.kind is Kind.UNIT)
    assert unit.path == path.PATH
    assert lines(written(unit), "PathChanged") == ["/etc/ssl", "/srv/acme"]
    assert not [change for change in made.changes if change.kind is Kind.UNIT]
    offline = replace(changed, settings=replace(changed.settings, offline=True))
    assert not [c for c in plan(offline, Goal.STATE_ONLY).collect if c.kind is Kind.UNIT]


def test_a_masked_timer_renews_nothing():
    masked = machine(
        http(server()), {SHOP_PEM: SHOP}, links={str(timer.TIMER): "/dev/null"}, running=OWNED
    )

    made = plan(masked)

    assert sorted(rules(made)) == ["nothing-renews", "schedule-not-ours"]
    assert not [change for change in made.changes if change.kind is Kind.UNIT]


def test_a_unit_of_ours_is_brought_up_to_date():
    done = carried_out(seen())
    older = with_files(done, {str(timer.TIMER): b"[Timer]\nOnCalendar=weekly\n"})

    (change,) = plan(older).changes

    assert change.path == timer.TIMER
    assert change.op == "modify"


def test_the_schedule_goes_with_the_last_site():
    done = carried_out(seen())

    made = plan(done, Goal.ABSENT)

    gone = [change.path for change in made.collect]
    assert gone.index(timer.ENABLED) < gone.index(timer.TIMER) < gone.index(timer.SERVICE)


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
