"""Which server is meant where nobody says so, and where its binary is."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from staplecfg.loading.binaries import found, the_one
from staplecfg.model.errors import UsageProblem
from staplecfg.model.settings import Settings
from staplecfg.servers.registry import SERVERS
from tests.support.apache import find_apache
from tests.support.nginx import find_nginx

ALL = SERVERS.values()


def tree(root: Path, *files: str) -> Settings:
    for name in files:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return Settings(root=PurePosixPath(root))


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory that comes first on the PATH."""
    directory = tmp_path / "bin"
    directory.mkdir()
    monkeypatch.setenv("PATH", f"{directory}:/usr/bin:/bin")
    return directory


@pytest.mark.parametrize("name", sorted(SERVERS))
def test_the_server_that_is_named_is_meant_whatever_is_there(name: str, tmp_path: Path):
    assert the_one(ALL, Settings(server=name)).name == name
    assert the_one(ALL, Settings(server=name, root=PurePosixPath(tmp_path))).name == name


def test_a_server_nobody_knows_is_refused_with_those_there_are():
    with pytest.raises(UsageProblem) as caught:
        the_one(ALL, Settings(server="lighttpd"))

    assert all(name in (caught.value.hint or "") for name in SERVERS)


@pytest.mark.parametrize(
    ("file", "name"),
    [
        pytest.param("etc/nginx/nginx.conf", "nginx", id="nginx"),
        pytest.param("etc/apache2/apache2.conf", "apache", id="Debian's apache2"),
        pytest.param("etc/httpd/conf/httpd.conf", "apache", id="Red Hat's httpd"),
    ],
)
def test_under_another_root_it_is_the_one_that_has_a_configuration(
    tmp_path: Path, file: str, name: str
):
    assert the_one(ALL, tree(tmp_path, file)).name == name


def test_where_two_have_a_configuration_one_must_be_named(tmp_path: Path):
    wanted = tree(tmp_path, "etc/nginx/nginx.conf", "etc/apache2/apache2.conf")

    with pytest.raises(UsageProblem) as caught:
        the_one(ALL, wanted)

    assert "--server apache" in (caught.value.hint or "")
    assert "--server nginx" in (caught.value.hint or "")


def test_where_two_are_installed_one_must_be_named(path: Path):
    (path / "nginx").symlink_to(find_nginx())
    (path / "apache2").symlink_to(find_apache())

    with pytest.raises(UsageProblem, match="are installed"):
        the_one(ALL, Settings())


@pytest.mark.system
@pytest.mark.parametrize(
    ("find", "name"),
    [
        pytest.param(find_nginx, "nginx", id="nginx"),
        pytest.param(find_apache, "apache", id="Apache"),
    ],
)
def test_the_binary_that_is_named_says_which_it_is(find, name: str):
    assert the_one(ALL, Settings(binary=PurePosixPath(find()))).name == name


def test_apache_is_found_by_the_name_it_has_here(path: Path):
    (path / "httpd").symlink_to(find_apache())

    assert found(SERVERS["apache"], Settings()).binary in {
        PurePosixPath(path / "httpd"),
        PurePosixPath("/usr/sbin/apache2"),
    }


def test_a_binary_that_was_named_is_not_looked_for(path: Path):
    (path / "httpd").symlink_to(find_apache())
    wanted = Settings(binary=PurePosixPath("/opt/httpd"))

    assert found(SERVERS["apache"], wanted) == wanted
