"""Files and directories for a server's own user."""

from __future__ import annotations

import os
import pwd

import pytest

from staplecfg.machine.owners import Owner, give_directory, owner, require_straight
from staplecfg.machine.replace import write
from staplecfg.model.errors import NotApplied

ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")


def test_whoever_writes_it_owns_what_is_nobodys(tmp_path):
    assert owner(None, tmp_path) is None


@ROOT
def test_a_user_is_known_by_name_and_by_number(tmp_path):
    known = pwd.getpwnam("nobody")

    assert owner("nobody", tmp_path) == Owner(known.pw_uid, known.pw_gid)
    assert owner(f"#{known.pw_uid}", tmp_path) == Owner(known.pw_uid, known.pw_gid)


@ROOT
@pytest.mark.parametrize("name", ["no-such-user-here", "#4294967290", "#x", "#-1"])
def test_a_user_that_is_not_there_is_refused(tmp_path, name):
    with pytest.raises(NotApplied, match="no such user"):
        owner(name, tmp_path)


@ROOT
def test_a_file_is_given_its_owner_before_it_takes_its_place(tmp_path):
    to = owner("nobody", tmp_path)
    write(tmp_path / "a", b"x", mode=0o644, owner=to)

    status = (tmp_path / "a").stat()
    assert to == Owner(status.st_uid, status.st_gid)
    assert status.st_mode & 0o777 == 0o644


def test_a_directory_that_is_a_link_is_not_written_through(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "other").symlink_to("elsewhere")

    require_straight(tmp_path / "elsewhere" / "a")
    with pytest.raises(NotApplied, match="symbolic link"):
        require_straight(tmp_path / "other" / "a")


@ROOT
def test_a_directory_is_not_given_away_through_a_link_that_has_taken_its_place(tmp_path):
    (tmp_path / "theirs").mkdir()
    (tmp_path / "other").symlink_to("theirs")

    with pytest.raises(NotApplied):
        give_directory(tmp_path / "other", Owner(65534, 65534))

    assert (tmp_path / "theirs").stat().st_uid == os.geteuid()
