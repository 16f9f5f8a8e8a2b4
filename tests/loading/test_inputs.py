"""What `warm --watch` looks at: every file a run goes by, and where it can be replaced."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pytest

from staplecfg.loading.inputs import directories, inputs, trace
from tests.support.facts import SHOP, SHOP_PEM, http, server
from tests.support.planned import carried_out, machine

if TYPE_CHECKING:
    from collections.abc import Callable


def test_configuration_certificates_includes_and_settings_are_looked_at():
    text = http(server(), "include sites/*.conf;")
    observed = machine(text, {SHOP_PEM: SHOP, "/etc/nginx/sites/a.conf": b"# a\n"})

    found = inputs(observed, PurePosixPath("/etc/staplecfg/other.toml"))

    assert found == {
        Path("/etc/nginx/nginx.conf"),
        Path("/etc/nginx/sites/a.conf"),
        Path("/etc/nginx/sites"),
        Path(SHOP_PEM),
        Path("/etc/staplecfg/other.toml"),
    }


def test_what_we_write_ourselves_is_not():
    configured = carried_out(machine(http(server()), {SHOP_PEM: SHOP}))
    state = Path(configured.settings.state_dir)
    assert any(state in Path(path).parents for path in configured.configuration.files)

    assert not [path for path in inputs(configured, None) if state in (path, *path.parents)]


def test_every_link_on_the_way_can_be_turned(tmp_path):
    """As a cluster mounts a secret, below a directory that is itself a link."""
    real = tmp_path / "mounted"
    (real / "..2026").mkdir(parents=True)
    (real / "..2026" / "tls.crt").write_text("pem")
    (real / "..data").symlink_to("..2026")
    (real / "tls.crt").symlink_to("..data/tls.crt")
    (tmp_path / "certs").symlink_to(real)

    found = directories([tmp_path / "certs" / "tls.crt"])

    assert {path.resolve() for path in found} >= {tmp_path, real, real / "..2026"}


def test_links_in_a_circle_end(tmp_path):
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")

    assert tmp_path in directories([tmp_path / "a"])


def test_a_directory_is_watched_itself_and_where_it_can_be_replaced(tmp_path):
    assert directories([tmp_path]) == {tmp_path, tmp_path.parent}


def touched_back(path: Path) -> None:
    """Write other bytes of the same length, and set the times back as backup programs do."""
    status = path.stat()
    path.write_text("new")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda d: (d / "file").write_text("longer"), id="written"),
        pytest.param(lambda d: (d / "file").unlink(), id="deleted"),
        pytest.param(lambda d: touched_back(d / "file"), id="written, with the old times"),
        pytest.param(lambda d: (d / "sites" / "new").write_text(""), id="another in a directory"),
    ],
)
def test_a_change_shows_without_reading(tmp_path, change: Callable[[Path], object]):
    (tmp_path / "file").write_text("old")
    (tmp_path / "sites").mkdir()
    paths = [tmp_path / "file", tmp_path / "sites", tmp_path / "none"]
    before = trace(paths)
    assert trace(paths) == before

    change(tmp_path)

    assert trace(paths) != before
