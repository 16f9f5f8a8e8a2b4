"""What Apache says of itself, and how it is tested, reloaded, started and asked."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from staplecfg.model.errors import NotUnderstood
from staplecfg.model.filesystem import MemoryFilesystem
from staplecfg.model.settings import Apache, Settings
from staplecfg.model.site import Configuration, Origin, Setting
from staplecfg.model.source import Location
from staplecfg.servers.apache.commands import COMMANDS
from staplecfg.servers.apache.installed import DEFINES, LOADABLE_MODULES, STATIC_MODULES, VARIABLE
from staplecfg.servers.apache.scan import scan

BINARY = PurePosixPath("/usr/sbin/apache2")
NOTHING = MemoryFilesystem({})
ENVVARS = b"export APACHE_RUN_DIR=/run/a\nexport APACHE_ARGUMENTS='-D Beta'\n"
VERSION = """\
Server version: Apache/2.4.71 (Debian)
Server built:   2026-11-12T08:58:41
Server compiled with....
 -D APR_HAS_SENDFILE
 -D HTTPD_ROOT="/etc/apache2"
 -D DEFAULT_PIDLOG="/run/apache2.pid"
 -D SERVER_CONFIG_FILE="apache2.conf"
AH00534: apache2: Configuration error: No MPM loaded.
"""
MODULES = "Compiled in modules:\n  core.c\n  mod_so.c\n  http_core.c\n"


def installation(
    settings: Settings | None = None, files: MemoryFilesystem = NOTHING, version: str = VERSION
):
    return COMMANDS.installation([version, MODULES], settings or Settings(), BINARY, files)


def configured(text: str) -> Configuration:
    main = PurePosixPath("/etc/apache2/apache2.conf")
    found: dict[str, tuple[Setting, ...]] = {}
    for each in scan(text.encode(), main):
        setting = Setting(each, Origin.OWN, Location(main, each.line), main)
        found[each.name] = (*found.get(each.name, ()), setting)
    return Configuration("apache", main, {}, (), found, ())


def test_nothing_is_known_of_a_plain_debian_but_what_is_compiled_in():
    found = installation()

    assert (found.server, found.banner, found.version) == (
        "apache",
        "Apache/2.4.71 (Debian)",
        (2, 4, 71),
    )
    assert found.prefix == PurePosixPath("/etc/apache2")
    assert found.config == PurePosixPath("/etc/apache2/apache2.conf")
    assert found.details[STATIC_MODULES] == "core.c mod_so.c http_core.c"
    assert DEFINES not in found.details
    assert not [name for name in found.details if name.startswith(VARIABLE)]


@pytest.mark.parametrize(
    "version",
    [
        pytest.param("", id="nothing"),
        pytest.param("nginx version: nginx/1.26.2\n", id="nginx"),
        pytest.param("httpd: invalid option -- 'V'\nBusyBox v1.36\n", id="BusyBox"),
        pytest.param("Server version: Apache/2.2.34 (Unix)\n", id="before 2.4"),
    ],
)
def test_what_is_no_apache_with_stapling_is_said_so(version: str):
    with pytest.raises(NotUnderstood) as caught:
        installation(version=version)

    assert caught.value.hint


def test_the_binary_is_asked_without_a_configuration():
    described, modules = COMMANDS.describe(Settings())

    assert described.argv == ("apache2", "-V", "-f", "/dev/null")
    assert 1 in described.good
    assert modules.argv == ("apache2", "-l")


def test_settings_win_and_a_relative_main_file_counts_from_the_server_root():
    found = installation(Settings(prefix=PurePosixPath("/opt/www"), config=PurePosixPath("c/x")))

    assert (found.prefix, found.config) == (
        PurePosixPath("/opt/www"),
        PurePosixPath("/opt/www/c/x"),
    )


def test_of_debians_further_instances_the_directory_is_the_server_root():
    files = MemoryFilesystem.of({"/etc/apache2-b/envvars": ENVVARS})

    found = installation(Settings(config=PurePosixPath("/etc/apache2-b/apache2.conf")), files)

    assert found.prefix == PurePosixPath("/etc/apache2-b")
    assert found.details[f"{VARIABLE}APACHE_RUN_DIR"] == "/run/a"


def test_flags_are_the_distributions_and_the_settings_together():
    files = MemoryFilesystem.of({"/etc/apache2/envvars": ENVVARS})

    found = installation(Settings(apache=Apache(defines=("SSL", "Beta"))), files)

    assert found.details[DEFINES] == "Beta SSL"


def test_the_binary_itself_is_run_with_the_services_environment_and_flags():
    files = MemoryFilesystem.of({"/etc/apache2/envvars": ENVVARS})
    found = installation(files=files)
    same = ("-d", "/etc/apache2", "-f", "/etc/apache2/apache2.conf", "-D", "Beta")

    assert COMMANDS.test(found).argv == (str(BINARY), "-t", *same)
    assert COMMANDS.reload(found).argv == (str(BINARY), "-k", "graceful", *same)
    assert COMMANDS.start(found).argv == (str(BINARY), "-k", "start", *same)
    for command in (COMMANDS.test(found), COMMANDS.reload(found), COMMANDS.start(found)):
        assert command.environment == {"APACHE_RUN_DIR": "/run/a"}
        assert command.words == ("env", "APACHE_RUN_DIR=/run/a", *command.argv)


def test_no_dump_is_asked_for_without_a_test_for_that_would_start_the_server():
    evidence = COMMANDS.evidence(installation())

    assert evidence is not None
    assert evidence.argv[1] == "-t"
    assert any(word.startswith("DUMP_") for word in evidence.argv)


def test_commands_of_the_settings_take_the_place_of_apaches_own():
    settings = Settings(
        test_command=("docker", "exec", "my web", "httpd", "-t"),
        reload_command=("systemctl", "reload", "apache2"),
    )

    found = installation(settings)

    assert COMMANDS.test(found).argv == settings.test_command
    assert COMMANDS.reload(found).argv == settings.reload_command


def test_nothing_is_executed_without_a_binary():
    found = COMMANDS.installation([], Settings(), None, NOTHING)

    with pytest.raises(ValueError, match="nothing is executed"):
        COMMANDS.test(found)


@pytest.mark.parametrize(
    ("main", "prefix"),
    [
        pytest.param("/etc/apache2/apache2.conf", "/etc/apache2", id="Debian"),
        pytest.param("/etc/httpd/conf/httpd.conf", "/etc/httpd", id="Red Hat"),
        pytest.param("/usr/local/apache2/conf/httpd.conf", "/usr/local/apache2", id="upstream"),
    ],
)
def test_under_another_root_the_layout_is_that_of_the_main_file_there(main: str, prefix: str):
    found = COMMANDS.installation([], Settings(), None, MemoryFilesystem.of({main: b""}))

    assert (found.binary, found.version) == (None, ())
    assert (found.config, found.prefix) == (PurePosixPath(main), PurePosixPath(prefix))
    assert STATIC_MODULES not in found.details


def test_under_another_root_what_has_a_load_file_is_known_not_to_be_compiled_in():
    there = ("ssl.load", "ssl.conf", "cgi.load", "README")
    tree = {f"/etc/apache2/mods-available/{name}": b"" for name in there}
    files = MemoryFilesystem.of({"/etc/apache2/apache2.conf": b"", **tree})

    found = COMMANDS.installation([], Settings(), None, files)

    assert found.details[LOADABLE_MODULES].split() == ["cgi", "ssl"]


@pytest.mark.parametrize(
    ("text", "path"),
    [
        pytest.param("", "/run/apache2.pid", id="compiled in"),
        pytest.param("PidFile /run/a.pid", "/run/a.pid", id="directive"),
        pytest.param("PidFile run/a.pid", "/etc/apache2/run/a.pid", id="relative directive"),
        pytest.param("PidFile a\nPidFile b", "/etc/apache2/b", id="the last counts"),
        pytest.param("ServerRoot /srv\nPidFile a", "/srv/a", id="another ServerRoot"),
    ],
)
def test_the_pid_file_is_where_apache_puts_it(text: str, path: str):
    assert COMMANDS.pid_file(configured(text), installation()) == PurePosixPath(path)


@pytest.mark.parametrize(
    ("argv", "defines"),
    [
        pytest.param("apache2 -k start", (), id="Debian"),
        pytest.param("httpd -DFOREGROUND", (), id="Red Hat"),
        pytest.param("apache2 -D SSL -D INFO -d /x -k start", ("INFO", "SSL"), id="Gentoo"),
    ],
)
def test_a_server_started_as_we_read_it_is_nothing_to_tell(argv: str, defines: tuple[str, ...]):
    found = installation(Settings(apache=Apache(defines=defines)))

    assert COMMANDS.started_otherwise(argv.split(), found) is None


@pytest.mark.parametrize(
    ("argv", "defines", "said"),
    [
        pytest.param("apache2 -D SSL", (), "-D SSL", id="a flag we do not know"),
        pytest.param("apache2 -k start", ("SSL",), "no -D", id="a flag it was not started with"),
        pytest.param("httpd -C Listen=1", (), "command line", id="a directive"),
    ],
)
def test_a_server_started_otherwise_is_told_with_what_to_do(
    argv: str, defines: tuple[str, ...], said: str
):
    found = installation(Settings(apache=Apache(defines=defines)))
    why = COMMANDS.started_otherwise(argv.split(), found)

    assert why is not None
    assert said in why[0]
    assert why[1]
