"""What nginx and its relatives say of themselves, and how they are tested and reloaded."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath

import pytest

from staplecfg.model.errors import NotUnderstood
from staplecfg.model.filesystem import MemoryFilesystem
from staplecfg.model.settings import Settings
from staplecfg.servers.nginx.commands import BUILT_WITH, COMMANDS
from tests.support.nginx_trees import read

BINARY = PurePosixPath("/usr/sbin/nginx")
NOTHING = MemoryFilesystem({})
ARGUMENTS = (
    "configure arguments: --with-cc-opt='-g -O2 -Wformat' --prefix=/usr/share/nginx"
    " --conf-path=/etc/nginx/nginx.conf --pid-path=/run/nginx.pid --with-http_ssl_module\n"
)


def installation(output: str, settings: Settings | None = None):
    return COMMANDS.installation([output], settings or Settings(), BINARY, NOTHING)


@pytest.mark.parametrize(
    ("output", "banner", "version"),
    [
        pytest.param("nginx version: nginx/1.22.1\n", "nginx/1.22.1", (1, 22, 1), id="nginx"),
        pytest.param(
            "nginx version: nginx/1.25.1 (nginx-plus-r30)\n",
            "nginx/1.25.1 (nginx-plus-r30)",
            (1, 25, 1),
            id="nginx Plus",
        ),
        pytest.param(
            "nginx version: openresty/1.25.3.1\n", "openresty/1.25.3.1", (1, 25, 3), id="OpenResty"
        ),
        pytest.param(
            "Tengine version: Tengine/3.1.0\nnginx version: nginx/1.24.0\n",
            "Tengine/3.1.0",
            (1, 24, 0),
            id="Tengine",
        ),
        pytest.param(
            "Tengine version: Tengine/2.2.2 (nginx/1.8.1)\n",
            "Tengine/2.2.2 (nginx/1.8.1)",
            (1, 8, 1),
            id="older Tengine",
        ),
        pytest.param(
            "Angie version: Angie/1.11.0\nnginx version: nginx/1.29.3\n",
            "Angie/1.11.0",
            (1, 29, 3),
            id="Angie",
        ),
        pytest.param("Angie version: Angie/1.2.0\n", "Angie/1.2.0", (), id="Angie and no core"),
        pytest.param(
            "nginx version: freenginx/1.27.0\n", "freenginx/1.27.0", (1, 27, 0), id="freenginx"
        ),
    ],
)
def test_the_version_is_that_of_the_nginx_inside(
    output: str, banner: str, version: tuple[int, ...]
):
    found = installation(output + "built by gcc\n" + ARGUMENTS)

    assert (found.banner, found.version) == (banner, version)


def test_configure_arguments_are_details():
    found = installation(
        "nginx version: nginx/1.26.2\nbuilt with OpenSSL 3.0.15 3 Sep 2024\n" + ARGUMENTS
    )

    assert found.config == PurePosixPath("/etc/nginx/nginx.conf")
    assert found.prefix == PurePosixPath("/usr/share/nginx")
    assert found.details["pid-path"] == "/run/nginx.pid"
    assert found.details["with-cc-opt"] == "-g -O2 -Wformat"
    assert found.details["with-http_ssl_module"] == ""
    assert found.details[BUILT_WITH] == "OpenSSL 3.0.15 3 Sep 2024"


def test_silent_arguments_mean_what_nginx_compiles_in():
    found = installation("nginx version: nginx/1.26.2\nconfigure arguments:\n")

    assert found.config == PurePosixPath("/usr/local/nginx/conf/nginx.conf")
    assert found.prefix == PurePosixPath("/usr/local/nginx")


def test_arguments_no_shell_would_read_are_split_at_blanks():
    found = installation("nginx version: nginx/1.26.2\nconfigure arguments: --prefix=/p --x='a\n")

    assert found.prefix == PurePosixPath("/p")


def test_settings_win_and_are_relative_to_the_prefix_as_for_nginx():
    settings = Settings(prefix=PurePosixPath("/opt/web"), config=PurePosixPath("conf/a.conf"))

    found = installation("nginx version: nginx/1.26.2\n" + ARGUMENTS, settings)

    assert (found.prefix, found.config) == (
        PurePosixPath("/opt/web"),
        PurePosixPath("/opt/web/conf/a.conf"),
    )


def test_without_a_binary_nginx_is_where_distributions_put_it():
    found = COMMANDS.installation([], Settings(), None, NOTHING)

    assert (found.binary, found.version) == (None, ())
    assert found.config == PurePosixPath("/etc/nginx/nginx.conf")


@pytest.mark.parametrize("output", ["", "Server version: Apache/2.4.62 (Debian)\n", "no such file"])
def test_what_is_no_nginx_is_said_so(output: str):
    with pytest.raises(NotUnderstood) as caught:
        installation(output)

    assert caught.value.hint


def test_the_server_is_named_by_prefix_and_configuration():
    found = installation("nginx version: nginx/1.26.2\n" + ARGUMENTS)
    same = ("-p", "/usr/share/nginx", "-c", "/etc/nginx/nginx.conf")

    assert COMMANDS.test(found).argv == ("/usr/sbin/nginx", "-t", *same)
    assert COMMANDS.reload(found).argv == ("/usr/sbin/nginx", "-s", "reload", *same)


def test_commands_of_the_settings_take_the_place_of_nginx_own():
    settings = Settings(
        test_command=("docker", "exec", "my web", "nginx", "-t"),
        reload_command=("systemctl", "reload", "nginx"),
    )

    found = installation("nginx version: nginx/1.26.2\n", settings)

    assert COMMANDS.test(found).argv == settings.test_command
    assert COMMANDS.reload(found).argv == settings.reload_command


def test_nothing_is_executed_without_a_binary():
    found = COMMANDS.installation([], Settings(), None, NOTHING)

    with pytest.raises(ValueError, match="nothing is executed"):
        COMMANDS.test(found)


@pytest.mark.parametrize(
    ("binary", "argv"),
    [
        pytest.param(None, ("nginx", "-V"), id="from the path"),
        pytest.param(PurePosixPath("/opt/nginx"), ("/opt/nginx", "-V"), id="named"),
    ],
)
def test_the_binary_is_asked_for_its_arguments(binary: PurePosixPath | None, argv: tuple[str, ...]):
    assert [each.argv for each in COMMANDS.describe(Settings(binary=binary))] == [argv]


@pytest.mark.parametrize(
    ("text", "details", "path"),
    [
        pytest.param("pid /run/a.pid;", {"pid-path": "/b"}, "/run/a.pid", id="directive"),
        pytest.param("pid a.pid;", {}, "/usr/share/nginx/a.pid", id="relative directive"),
        pytest.param("", {"pid-path": "/run/b.pid"}, "/run/b.pid", id="compiled in"),
        pytest.param("", {}, "/usr/share/nginx/logs/nginx.pid", id="nginx's default"),
    ],
)
def test_the_pid_file_is_where_nginx_puts_it(text: str, details: dict[str, str], path: str):
    found = installation("nginx version: nginx/1.26.2\n" + ARGUMENTS)

    assert COMMANDS.pid_file(
        read({"nginx.conf": text}), replace(found, details=details)
    ) == PurePosixPath(path)
