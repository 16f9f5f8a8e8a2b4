"""Who may share the state directory with us: nobody who could swap what is in it."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

import pytest

from staplecfg.applying.report import Steps
from staplecfg.applying.session import session
from staplecfg.model.errors import NotApplied
from staplecfg.model.settings import Settings


def entered(state_dir: Path) -> bool:
    steps = Steps(lambda _: None)
    settings = Settings(state_dir=PurePosixPath(state_dir))
    with session(settings, purpose="test", wait=1, steps=steps, tell=lambda _: None):
        return (state_dir / "lock").exists()


def test_a_state_directory_is_made_where_there_is_none(tmp_path):
    assert entered(tmp_path / "state")


@pytest.mark.parametrize("mode", [0o700, 0o755, 0o775])
def test_one_of_ours_is_used(tmp_path, mode):
    (tmp_path / "state").mkdir()
    (tmp_path / "state").chmod(mode)

    assert entered(tmp_path / "state")


@pytest.mark.parametrize("mode", [0o777, 0o1777])
def test_one_that_everyone_can_write_to_is_refused(tmp_path, mode):
    (tmp_path / "state").mkdir()
    (tmp_path / "state").chmod(mode)

    with pytest.raises(NotApplied, match="writable for everyone"):
        entered(tmp_path / "state")

    assert list((tmp_path / "state").iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give directories away")
def test_one_of_somebody_else_is_refused(tmp_path):
    (tmp_path / "state").mkdir()
    os.chown(tmp_path / "state", 65534, 65534)

    with pytest.raises(NotApplied, match="belongs to user 65534"):
        entered(tmp_path / "state")
