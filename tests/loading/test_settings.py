"""Flags laid over the settings file, and everything that a settings file can have wrong."""

from __future__ import annotations

import ipaddress
import os
from datetime import timedelta
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import pytest

from staplecfg.loading.settings import FLAGS_ONLY, KEYS, settings
from staplecfg.model.errors import Unreadable, UsageProblem
from staplecfg.model.looks import Looks
from staplecfg.model.settings import (
    TEMPLATE_DIR,
    Apache,
    Floors,
    Nginx,
    Responders,
    Schedule,
    Serve,
    Settings,
)

if TYPE_CHECKING:
    from pathlib import Path


def read(tmp_path: Path, text: str, **flags: object) -> Settings:
    """Return the settings that a file with `text` and `flags` (`__` for a dot) make."""
    file = tmp_path / "staplecfg.toml"
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    given = {key.replace("__", "."): value for key, value in flags.items()}
    return settings(given, PurePosixPath(file))


ACCEPTED: list[Any] = [
    pytest.param("", Settings(), id="nothing"),
    pytest.param("# only a comment\n\n", Settings(), id="a comment"),
    pytest.param("[responders]\n[floors]\n[nginx]\n", Settings(), id="empty sections"),
    pytest.param("sites = []", Settings(), id="an empty list"),
    pytest.param('server = "nginx"', Settings(server="nginx"), id="server"),
    pytest.param(
        'config = "/srv/n.conf"\nbinary = "/opt/nginx"\nprefix = "/srv"\nstate_dir = "/s"',
        Settings(
            config=PurePosixPath("/srv/n.conf"),
            binary=PurePosixPath("/opt/nginx"),
            prefix=PurePosixPath("/srv"),
            state_dir=PurePosixPath("/s"),
        ),
        id="paths",
    ),
    pytest.param(
        'sites = ["a", "b.*"]\nexclude = ["c"]',
        Settings(sites=("a", "b.*"), exclude=("c",)),
        id="sites",
    ),
    pytest.param('delivery = "file"', Settings(delivery="file"), id="delivery"),
    pytest.param(
        '[nginx]\ndelivery = "file"', Settings(nginx=Nginx(delivery="file")), id="nginx.delivery"
    ),
    pytest.param(
        '[apache]\ndelivery = "live"',
        Settings(apache=Apache(delivery="live")),
        id="apache.delivery",
    ),
    pytest.param("offline = true", Settings(offline=True), id="offline"),
    pytest.param('schedule = "cron"', Settings(schedule=Schedule.CRON), id="schedule"),
    pytest.param(
        '[schedule]\nkind = "cron"\ninterval = 600\ndead_man_interval = 120',
        Settings(schedule=Schedule.CRON, looks=Looks(timedelta(minutes=10), timedelta(minutes=2))),
        id="how often is looked",
    ),
    pytest.param(
        'template_dirs = ["/t"]',
        Settings(template_dirs=(PurePosixPath("/t"), TEMPLATE_DIR)),
        id="templates come before the usual ones",
    ),
    pytest.param(
        'test_command = ["docker", "exec", "web", "nginx", "-t"]',
        Settings(test_command=("docker", "exec", "web", "nginx", "-t")),
        id="a command",
    ),
    pytest.param(
        '[responders]\nallow_networks = ["10.0.0.0/8", "fd00::/8", "192.0.2.7"]',
        Settings(
            responders=Responders(
                allow_networks=(
                    ipaddress.ip_network("10.0.0.0/8"),
                    ipaddress.ip_network("fd00::/8"),
                    ipaddress.ip_network("192.0.2.7/32"),
                )
            )
        ),
        id="networks",
    ),
    pytest.param(
        'responders.proxy = "http://user:word@proxy.example:3128/"',
        Settings(responders=Responders(proxy="http://user:word@proxy.example:3128")),
        id="a proxy, by dotted key",
    ),
    pytest.param(
        '[responders.override]\n"http://ocsp.ca.example/" = ""',
        Settings(responders=Responders(override={"http://ocsp.ca.example/": ""})),
        id="override",
    ),
    pytest.param(
        "[responders]\nallow_sha1_signature = true\ntotal = 2.5\nparallel = 64",
        Settings(
            responders=Responders(
                allow_sha1_signature=True, total=timedelta(seconds=2.5), parallel=64
            )
        ),
        id="responders",
    ),
    pytest.param(
        "[floors]\nleast_life_left = 0\nskew = 1\nlongest_interval = 86400",
        Settings(
            floors=Floors(
                least_life_left=timedelta(0),
                skew=timedelta(seconds=1),
                longest_interval=timedelta(days=1),
            )
        ),
        id="floors",
    ),
]


@pytest.mark.parametrize(("text", "wanted"), ACCEPTED)
def test_what_a_file_says_is_what_is_gone_by(tmp_path, text, wanted):
    assert read(tmp_path, text) == wanted


def test_every_key_has_a_place_in_the_settings():
    names = {*Settings.__dataclass_fields__}
    names |= {f"responders.{name}" for name in Responders.__dataclass_fields__}
    names |= {f"floors.{name}" for name in Floors.__dataclass_fields__}
    names |= {f"serve.{name}" for name in Serve.__dataclass_fields__}
    names |= {f"nginx.{name}" for name in Nginx.__dataclass_fields__}
    names |= {f"schedule.{name}" for name in Looks.__dataclass_fields__}
    names |= {f"apache.{name}" for name in Apache.__dataclass_fields__}

    assert KEYS.keys() <= names
    assert names - KEYS.keys() == {
        "responders",
        "floors",
        "serve",
        "nginx",
        "looks",
        "apache",
        "file",
        "flags",
    }


def test_flags_win_one_by_one(tmp_path):
    text = 'sites = ["a"]\nexclude = ["x"]\n[responders]\nproxy = "http://a:1"\ntotal = 9\n'

    made = read(tmp_path, text, sites=["b"], responders__proxy="http://b:2", offline=True)

    assert made == Settings(
        sites=("b",),
        exclude=("x",),
        offline=True,
        responders=Responders(proxy="http://b:2", total=timedelta(seconds=9)),
    )


REFUSED: list[Any] = [
    pytest.param("ofline = true", 1, "unknown setting `ofline`", "`offline`", id="misspelt"),
    pytest.param(
        "\n[responders]\nproxi = 1",
        3,
        "`responders.proxi`",
        "`responders.proxy`",
        id="in a section",
    ),
    pytest.param("[nginx]\nspeed = 1", 2, "`nginx.speed`", None, id="a server's own"),
    pytest.param("[caddy]\nx = 1", 1, "`caddy`", None, id="a section not known"),
    pytest.param("responders = 3", 1, "`responders`", None, id="no section"),
    *(
        pytest.param(f"{key} = true", 1, f"unknown setting `{key}`", None, id=f"{key} is a flag")
        for key in sorted(FLAGS_ONLY)
    ),
    pytest.param("server = ''", 1, "`server` takes a string that", None, id="an empty string"),
    pytest.param("server = 1", 1, "`server` takes a string", None, id="a number"),
    pytest.param("config = 'nginx.conf'", 1, "takes an absolute path", None, id="relative"),
    pytest.param("offline = 1", 1, "`offline` takes true or false", None, id="1 is not true"),
    pytest.param("sites = 'a'", 1, "`sites` takes a list", None, id="a string for a list"),
    pytest.param("sites = ['']", 1, "`sites` takes a string that", None, id="an empty glob"),
    pytest.param("schedule = 'daily'", 1, "auto, systemd, cron, none", None, id="schedule"),
    *(
        pytest.param(f"[schedule]\n{key} = {text}", 2, "minutes and divides an hour", None, id=text)
        for key in ("interval", "dead_man_interval")
        for text in ("0", "90", "420", "7200", "-60", "true", "60.0", "'hourly'")
    ),
    pytest.param("[schedule]\ninterval = 60", 2, "takes 120 or more", None, id="too often"),
    pytest.param("[schedule]\nrun = 60", 2, "`schedule.run` takes 120 or more", None, id="fast"),
    pytest.param(
        "[schedule]\ninterval = 600\ndead_man_interval = 360",
        3,
        "half of `schedule.interval`",
        None,
        id="the dead man first",
    ),
    pytest.param("schedule = []", 1, "auto, systemd, cron, none", None, id="a list of schedules"),
    pytest.param(
        "[responders]\nallow_networks = ['10.0.0.1/8']",
        2,
        "without host bits",
        None,
        id="host bits",
    ),
    pytest.param(
        "[responders]\nallow_networks = [10]", 2, "a network such as", None, id="no network"
    ),
    *(
        pytest.param(
            f"[responders]\nproxy = '{proxy}'", 2, "takes http://HOST:PORT", None, id=proxy
        )
        for proxy in (
            "proxy.example:3128",
            "https://proxy.example:3128",
            "http://proxy.example",
            "http://:3128",
            "http://proxy.example:99999",
            "http://proxy.example:3128/path",
            "http://[",
        )
    ),
    pytest.param(
        "[responders.override]\nx = 1", 1, "a table of responder URL", None, id="override"
    ),
    pytest.param("[responders]\nparallel = 0", 2, "from 1 to 64", None, id="nobody asks"),
    pytest.param("[responders]\nparallel = true", 2, "from 1 to 64", None, id="true is not 1"),
    pytest.param("[responders]\ntotal = 0", 2, "seconds above 0", None, id="no time"),
    pytest.param("[floors]\nskew = -1", 2, "seconds, from 0", None, id="below zero"),
    pytest.param("[floors]\nskew = true", 2, "seconds, from 0", None, id="true seconds"),
    pytest.param("[floors]\nskew = '5m'", 2, "seconds, from 0", None, id="with a unit"),
    pytest.param("[floors]\nskew = nan", 2, "a number of seconds", None, id="no number"),
    pytest.param("[floors]\nskew = inf", 2, "a number of seconds", None, id="infinity"),
    pytest.param("[floors]\nskew = 1e13", 2, "a number of seconds", None, id="3,000 centuries"),
    pytest.param("a = \n", 1, "not TOML", None, id="not TOML"),
    pytest.param("offline = true\noffline = true\n", 2, "not TOML", None, id="twice"),
    pytest.param("\udcff = 1", None, "not TOML", None, id="not UTF-8"),
    pytest.param("x = " + "[" * 100_000, None, "not TOML", None, id="endlessly deep"),
    pytest.param("x = " + "9" * 10_000, None, "not TOML", None, id="beyond measure"),
]


@pytest.mark.parametrize(("text", "line", "problem", "hint"), REFUSED)
def test_what_makes_no_sense_stops_the_run_at_its_line(tmp_path, text, line, problem, hint):
    with pytest.raises(UsageProblem) as caught:
        read(tmp_path, text)

    error = caught.value
    assert problem in error.problem
    assert error.at is not None
    assert (error.at.path.name, error.at.line) == ("staplecfg.toml", line)
    if hint is not None:
        assert hint in (error.hint or "")


@pytest.mark.parametrize(
    ("flags", "problem"),
    [
        pytest.param({"responders__proxy": "x"}, "--proxy takes http://HOST:PORT", id="proxy"),
        pytest.param(
            {"responders__allow_networks": ["10.0.0.1/8"]}, "--allow-network", id="network"
        ),
        pytest.param({"state_dir": "relative"}, "--state-dir takes an absolute path", id="path"),
    ],
)
def test_a_flag_that_makes_no_sense_is_named_as_it_was_given(tmp_path, flags, problem):
    with pytest.raises(UsageProblem) as caught:
        read(tmp_path, "", **flags)

    assert problem in caught.value.problem
    assert caught.value.at is None


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        pytest.param(lambda _: None, "no such file", id="missing"),
        pytest.param(lambda path: path.mkdir(), "is a directory", id="a directory"),
        pytest.param(os.mkfifo, "not a regular file", id="a pipe"),
        pytest.param(lambda path: path.symlink_to(path), "symbolic links", id="a link to itself"),
        pytest.param(lambda path: path.write_bytes(b"#" * 2_000_000), "larger", id="too large"),
    ],
)
def test_a_file_that_cannot_be_read(tmp_path, make, problem):
    file = tmp_path / "staplecfg.toml"
    make(file)

    with pytest.raises(Unreadable) as caught:
        settings({}, PurePosixPath(file))

    assert problem in caught.value.problem
    assert caught.value.at is not None
    assert caught.value.at.path == PurePosixPath(file)


def test_without_a_file_the_flags_alone_decide():
    assert settings({"offline": True}, None).offline is True
