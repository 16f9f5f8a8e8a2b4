"""A thousand staples and none due: `warm` asks nobody and tells nginx nothing."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from tests.support.authority import Authority
from tests.support.command_line import run
from tests.support.responder import Responder
from tests.support.thousand import arguments, thousand

pytestmark = pytest.mark.system

SITES = 1000
MEMORY = Path("/dev/shm")  # noqa: S108 - a directory of our own is made there


@pytest.fixture
def root(tmp_path):
    """A directory in memory, where there is such a thing: thousands of files are synchronised."""
    top = MEMORY if os.access(MEMORY, os.W_OK) else tmp_path
    with tempfile.TemporaryDirectory(dir=top) as directory:
        made = Path(directory)
        made.chmod(0o755)
        yield made


def test_with_none_due_there_is_no_connection_no_reload_and_no_file_changes(root):
    with Responder(Authority.create()) as responder:
        nginx = thousand(root, responder.url, sites=SITES)
        with nginx:
            nginx.start()
            first = run(["warm", *arguments(root, nginx)])
            assert first.status == 0, first
            assert first.out.count("staple.conf") >= SITES, "nothing was put to use"
            workers, before = nginx.worker_pids(), files(root)

            ended = run(["warm", *arguments(root, nginx), "--format", "json"])

            assert ended.status == 0, ended
            assert [each["outcome"] for each in ended.document["renewals"]] == ["not-due"] * SITES
            assert (ended.document["changed"], ended.document["steps"]) == (False, [])
            assert responder.log == []
            assert nginx.worker_pids() == workers
            assert files(root) == before


def files(root: Path) -> dict[Path, int]:
    """Return when each file of staplecfg's was last written, but for the lock's."""
    found = sorted((root / "state").rglob("*"))
    written = [path for path in found if path.is_file() and path.name != "lock"]
    return {path: path.stat().st_mtime_ns for path in written}
