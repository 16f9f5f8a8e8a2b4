from __future__ import annotations

import contextlib
import errno
import os
import resource
import signal
import stat
import struct
import subprocess
from pathlib import Path, PurePosixPath

import pytest

from staplecfg.machine.durable import refusing
from staplecfg.machine.replace import (
    make_directories,
    make_link,
    remove,
    remove_directories,
    staging_directory,
    write,
)
from staplecfg.model.errors import NotApplied
from tests.support import killpoints
from tests.support.identity import NOBODY, as_nobody

BIG = bytes(range(256)) * 4096

only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may do that")


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def access_list(user: int, permissions: int) -> bytes:
    """A POSIX ACL as the kernel keeps it, with one named user (acl(5), linux/posix_acl_xattr.h)."""
    entries = [
        (0x01, 6, -1),
        (0x02, permissions, user),
        (0x04, 4, -1),
        (0x10, 6, -1),
        (0x20, 0, -1),
    ]
    return struct.pack("<I", 2) + b"".join(
        struct.pack("<HHI", tag, allowed, whom & 0xFFFFFFFF) for tag, allowed, whom in entries
    )


def set_or_skip(path: Path, name: str, value: bytes) -> None:
    try:
        os.setxattr(path, name, value)
    except OSError as error:
        pytest.skip(f"{name} cannot be set here: {error.strerror}")


@pytest.fixture
def small_disk(tmp_path: Path):
    """A file system of 64 KiB."""
    place = tmp_path / "small"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(place)], check=False
    )
    if mounted.returncode:
        pytest.skip("no file system can be mounted here")
    yield place
    subprocess.run(["umount", str(place)], check=True)


@contextlib.contextmanager
def immutable(path: Path):
    if subprocess.run(["chattr", "+i", str(path)], check=False, capture_output=True).returncode:
        pytest.skip("nothing can be made immutable here")
    try:
        yield
    finally:
        subprocess.run(["chattr", "-i", str(path)], check=True)


@contextlib.contextmanager
def umask(mask: int):
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


@pytest.mark.parametrize(
    "data", [pytest.param(b"", id="nothing"), pytest.param(BIG, id="a mebibyte")]
)
def test_a_new_file_holds_the_bytes_and_can_be_read_by_servers(tmp_path: Path, data: bytes):
    with umask(0o077):
        write(tmp_path / "new", data)

    assert (tmp_path / "new").read_bytes() == data
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o644
    assert names(tmp_path) == ["new"]


def test_a_mode_asked_for_is_given_whatever_the_umask(tmp_path: Path):
    with umask(0o077):
        write(tmp_path / "script", b"#!/bin/sh\n", mode=0o755)
    write(tmp_path / "private", b"", mode=0o600)
    write(tmp_path / "private", b"x")
    write(tmp_path / "script", b"x", mode=0o700)

    assert stat.S_IMODE((tmp_path / "script").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "private").stat().st_mode) == 0o600


def test_a_replaced_file_keeps_its_mode(tmp_path: Path):
    (tmp_path / "file").write_bytes(b"old")
    (tmp_path / "file").chmod(0o2750)

    write(tmp_path / "file", b"new")

    assert (tmp_path / "file").read_bytes() == b"new"
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o2750


@only_root
def test_a_replaced_file_keeps_its_owner_and_group(tmp_path: Path):
    (tmp_path / "file").write_bytes(b"old")
    (tmp_path / "file").chmod(0o4755)
    os.chown(tmp_path / "file", 1234, 5678)
    (tmp_path / "file").chmod(0o4755)

    write(tmp_path / "file", b"new")

    status = (tmp_path / "file").stat()
    assert (status.st_uid, status.st_gid) == (1234, 5678)
    assert stat.S_IMODE(status.st_mode) == 0o4755


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("user.comment", b"by hand", id="user"),
        pytest.param("trusted.origin", b"\0\1\2", id="trusted"),
        pytest.param(
            "security.selinux", b"system_u:object_r:httpd_config_t:s0\0", id="SELinux label"
        ),
        pytest.param("system.posix_acl_access", access_list(NOBODY, 6), id="POSIX ACL"),
    ],
)
def test_a_replaced_file_keeps_its_extended_attributes(tmp_path: Path, name: str, value: bytes):
    (tmp_path / "file").write_bytes(b"old")
    set_or_skip(tmp_path / "file", name, value)
    mode = (tmp_path / "file").stat().st_mode

    write(tmp_path / "file", b"new")

    assert (tmp_path / "file").read_bytes() == b"new"
    assert os.getxattr(tmp_path / "file", name) == value
    assert (tmp_path / "file").stat().st_mode == mode


def test_a_replaced_file_does_not_catch_the_access_list_of_where_it_was_born(tmp_path: Path):
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d/file").write_bytes(b"old")
    (tmp_path / "conf.d/file").chmod(0o640)
    set_or_skip(tmp_path, "system.posix_acl_default", access_list(NOBODY, 6))

    write(tmp_path / "conf.d/file", b"new", staging=tmp_path)

    assert "system.posix_acl_access" not in os.listxattr(tmp_path / "conf.d/file")
    assert stat.S_IMODE((tmp_path / "conf.d/file").stat().st_mode) == 0o640


def test_a_new_file_born_elsewhere_gets_what_its_own_directory_gives(tmp_path: Path):
    conf = tmp_path / "conf.d"
    conf.mkdir()
    conf.chmod(0o2755)
    label = b"system_u:object_r:httpd_config_t:s0\0"
    set_or_skip(conf, "security.selinux", label)
    set_or_skip(conf, "system.posix_acl_default", access_list(NOBODY, 4))
    if os.geteuid() == 0:
        os.chown(conf, 0, 5678)

    write(conf / "file", b"new", staging=tmp_path)

    assert os.getxattr(conf / "file", "security.selinux") == label
    assert "system.posix_acl_access" in os.listxattr(conf / "file")
    assert (conf / "file").stat().st_gid == conf.stat().st_gid


def test_the_staging_directory_is_where_the_new_file_is_born(tmp_path: Path):
    (tmp_path / "included").mkdir()
    (tmp_path / "included/file").write_bytes(b"old")

    with immutable(tmp_path), pytest.raises(NotApplied):
        write(tmp_path / "included/file", b"new", staging=tmp_path)
    assert (tmp_path / "included/file").read_bytes() == b"old"

    write(tmp_path / "included/file", b"new", staging=tmp_path)
    assert (tmp_path / "included/file").read_bytes() == b"new"
    assert names(tmp_path) == ["included"]


def test_a_symbolic_link_is_refused_and_stays_one(tmp_path: Path):
    (tmp_path / "available").write_bytes(b"old")
    (tmp_path / "enabled").symlink_to("available")

    with pytest.raises(NotApplied, match="symbolic link"):
        write(tmp_path / "enabled", b"new")

    assert (tmp_path / "enabled").is_symlink()
    assert (tmp_path / "available").read_bytes() == b"old"


def test_a_hard_link_is_refused_for_the_other_name_would_stay_behind(tmp_path: Path):
    (tmp_path / "one").write_bytes(b"old")
    (tmp_path / "other").hardlink_to(tmp_path / "one")

    with pytest.raises(NotApplied, match="has 2 hard links") as refused:
        write(tmp_path / "one", b"new")

    assert refused.value.hint
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes() == b"old"
    assert names(tmp_path) == ["one", "other"]


def test_what_is_no_file_is_refused(tmp_path: Path):
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "directory").mkdir()

    for name in ("fifo", "directory"):
        with pytest.raises(NotApplied, match="no regular file"):
            write(tmp_path / name, b"new")

    assert names(tmp_path) == ["directory", "fifo"]


def test_a_temporary_name_that_is_taken_is_somebody_elses(tmp_path: Path):
    (tmp_path / "taken").write_bytes(b"theirs")
    (tmp_path / "link").symlink_to("nowhere")

    for name in ("taken", "link"):
        with pytest.raises(NotApplied, match="file exists"):
            write(tmp_path / "file", b"new", temporary=tmp_path / name)
        with pytest.raises(NotApplied, match="file exists"):
            make_link(tmp_path / "file", "x", temporary=tmp_path / name)

    assert (tmp_path / "taken").read_bytes() == b"theirs"
    assert names(tmp_path) == ["link", "taken"]


@only_root
def test_a_full_disk_leaves_the_old_file_and_nothing_else(small_disk: Path):
    write(small_disk / "file", b"old")

    with pytest.raises(NotApplied, match="no space left on device") as refused:
        write(small_disk / "file", BIG)

    assert refused.value.hint is not None
    assert "df" in refused.value.hint
    assert (small_disk / "file").read_bytes() == b"old"
    assert names(small_disk) == ["file"]


def test_a_limit_on_file_sizes_is_told_as_such(tmp_path: Path):
    (tmp_path / "file").write_bytes(b"old")

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        write(tmp_path / "file", BIG)

    ended = killpoints.kill_at(10**9, limited)

    assert ended.error == "NotApplied: cannot be written: file too large"
    assert (tmp_path / "file").read_bytes() == b"old"
    assert names(tmp_path) == ["file"]


@only_root
def test_another_file_system_cannot_stage(tmp_path: Path, small_disk: Path):
    (tmp_path / "file").write_bytes(b"old")

    with pytest.raises(NotApplied, match="cross-device") as refused:
        write(tmp_path / "file", b"new", staging=small_disk)

    assert refused.value.hint
    assert (tmp_path / "file").read_bytes() == b"old"
    assert names(small_disk) == []


@only_root
def test_an_immutable_file_stays_and_the_hint_names_the_flag(tmp_path: Path):
    (tmp_path / "file").write_bytes(b"old")

    with immutable(tmp_path / "file"):
        with pytest.raises(NotApplied, match="operation not permitted") as refused:
            write(tmp_path / "file", b"new")
        with pytest.raises(NotApplied, match="operation not permitted"):
            remove(tmp_path / "file")

    assert refused.value.hint is not None
    assert "chattr -i" in refused.value.hint
    assert (tmp_path / "file").read_bytes() == b"old"
    assert names(tmp_path) == ["file"]


@only_root
def test_a_read_only_file_system_is_told_as_such(small_disk: Path):
    write(small_disk / "file", b"old")
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)

    for attempt in (
        lambda: write(small_disk / "file", b"new"),
        lambda: remove(small_disk / "file"),
        lambda: make_link(small_disk / "link", "x"),
        lambda: make_directories(small_disk / "a/b"),
    ):
        with pytest.raises(NotApplied, match="read-only file system") as refused:
            attempt()
        assert refused.value.at is not None
    assert names(small_disk) == ["file"]


@only_root
def test_a_bind_mounted_file_is_told_as_such(tmp_path: Path):
    (tmp_path / "host").write_bytes(b"old")
    (tmp_path / "file").write_bytes(b"")
    mount = ["mount", "--bind", str(tmp_path / "host"), str(tmp_path / "file")]
    if subprocess.run(mount, check=False).returncode:
        pytest.skip("nothing can be mounted here")
    try:
        with pytest.raises(NotApplied, match="device or resource busy") as refused:
            write(tmp_path / "file", b"new")
    finally:
        subprocess.run(["umount", str(tmp_path / "file")], check=True)

    assert refused.value.hint is not None
    assert "container" in refused.value.hint
    assert names(tmp_path) == ["file", "host"]


def test_without_power_the_hint_is_to_be_root(open_path: Path):
    (open_path / "file").write_bytes(b"old")
    open_path.chmod(0o755)

    def attempt() -> None:
        if os.geteuid() != NOBODY:
            open_path.chmod(0o500)
        with pytest.raises(NotApplied, match="permission denied") as refused:
            write(open_path / "file", b"new")
        assert refused.value.hint == "run as root"

    as_nobody(open_path, attempt)
    open_path.chmod(0o755)
    assert names(open_path) == ["file"]


@only_root
def test_a_file_is_not_replaced_where_its_owner_would_be_lost(open_path: Path):
    (open_path / "file").write_bytes(b"old")
    open_path.chmod(0o777)

    def attempt() -> None:
        with pytest.raises(NotApplied, match="without losing its owner"):
            write(open_path / "file", b"new")

    as_nobody(open_path, attempt)

    assert (open_path / "file").read_bytes() == b"old"
    assert names(open_path) == ["file"]


def test_killed_at_any_point_the_file_is_old_or_new_and_a_private_one_stays_private(tmp_path: Path):
    place = tmp_path / "place"
    place.mkdir()

    def action() -> None:
        write(place / "file", BIG)

    (place / "file").write_bytes(b"old")
    (place / "file").chmod(0o600)
    found = set()
    for point in range(1, killpoints.count(action) + 1):
        write(place / "file", b"old")
        assert killpoints.kill_at(point, action).killed
        found.add((place / "file").read_bytes())
        for left in place.iterdir():
            assert stat.S_IMODE(left.stat().st_mode) == 0o600
            if left.name != "file":
                assert left.name.startswith(".staplecfg-")
                left.unlink()

    assert found == {b"old", BIG}


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EROFS, errno.EACCES])
def test_failing_at_any_point_nothing_is_left_behind(tmp_path: Path, number: int):
    place = tmp_path / "place"
    place.mkdir()

    def action() -> None:
        write(place / "file", b"new")

    write(place / "file", b"old")
    for point in range(1, killpoints.count(action) + 1):
        write(place / "file", b"old")
        ended = killpoints.fail_at(point, number, action)
        assert ended.error is not None
        assert ended.error.startswith("NotApplied: cannot be")
        renamed = "rename" in ended.names[: point - 1]
        assert (place / "file").read_bytes() == (b"new" if renamed else b"old")
        assert names(place) == ["file"]


def test_a_link_is_made_and_turned_at_once(tmp_path: Path):
    make_link(tmp_path / "link", "../available/a")
    make_link(tmp_path / "link", "../available/b")

    assert (tmp_path / "link").readlink() == Path("../available/b")
    assert names(tmp_path) == ["link"]


def test_a_link_takes_no_files_place(tmp_path: Path):
    (tmp_path / "file").write_bytes(b"old")
    (tmp_path / "directory").mkdir()

    for name in ("file", "directory"):
        with pytest.raises(NotApplied, match="no symbolic link"):
            make_link(tmp_path / name, "elsewhere")

    assert (tmp_path / "file").read_bytes() == b"old"
    assert names(tmp_path) == ["directory", "file"]


def test_removing_takes_the_link_and_not_what_it_leads_to(tmp_path: Path):
    (tmp_path / "file").write_bytes(b"old")
    (tmp_path / "link").symlink_to("file")

    remove(tmp_path / "link")
    remove(tmp_path / "link")

    assert names(tmp_path) == ["file"]
    with pytest.raises(NotApplied, match="is a directory"):
        remove(tmp_path)


def test_directories_are_made_readable_and_the_new_ones_told(tmp_path: Path):
    (tmp_path / "a").mkdir()

    with umask(0o077):
        created = make_directories(tmp_path / "a/b/c")

    assert created == (tmp_path / "a/b", tmp_path / "a/b/c")
    assert {stat.S_IMODE(each.stat().st_mode) for each in created} == {0o755}
    assert make_directories(tmp_path / "a/b/c") == ()


def test_directories_that_cannot_all_be_made_are_taken_away_again(tmp_path: Path):
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "dangling").symlink_to("nowhere")

    for impossible in (tmp_path / "file", tmp_path / "dangling"):
        with pytest.raises(NotApplied, match="no directory"):
            make_directories(impossible)
    with pytest.raises(NotApplied, match="too long"):
        make_directories(tmp_path / "a/b" / ("x" * 300))

    assert names(tmp_path) == ["dangling", "file"]


def test_a_directory_in_use_is_not_taken_away(tmp_path: Path):
    created = make_directories(tmp_path / "a/b/c")
    (tmp_path / "a/theirs").write_bytes(b"")

    remove_directories(created)
    remove_directories(created)

    assert names(tmp_path / "a") == ["theirs"]


@pytest.mark.parametrize(
    ("target", "included", "staging"),
    [
        pytest.param("etc/conf.d/x.conf", (), "etc/conf.d", id="its own directory"),
        pytest.param("etc/conf.d/x.conf", ("etc/conf.d",), "etc", id="Include directory"),
        pytest.param(
            "etc/conf.d/x.conf", ("etc", "etc/conf.d"), "", id="two of them, one in another"
        ),
        pytest.param("etc/missing/y/x.conf", ("etc/missing",), "etc/missing/y", id="not there yet"),
    ],
)
def test_staging_is_the_nearest_directory_no_include_reads(
    tmp_path: Path, target: str, included: tuple[str, ...], staging: str
):
    (tmp_path / "etc/conf.d").mkdir(parents=True)
    taken = {PurePosixPath(tmp_path / directory) for directory in included}
    asked = []

    def reads(path: PurePosixPath) -> bool:
        asked.append(path)
        return path.parent in taken

    assert staging_directory(tmp_path / target, reads) == tmp_path / staging
    assert {path.name[0] for path in asked} == {"."}


@only_root
def test_staging_does_not_leave_the_file_system(small_disk: Path):
    assert staging_directory(small_disk / "x.conf", lambda _: False) == small_disk
    with pytest.raises(NotApplied, match="cannot be replaced unseen") as refused:
        staging_directory(small_disk / "x.conf", lambda path: str(path.parent) == str(small_disk))

    assert refused.value.hint


def test_a_refusal_says_where_and_chains_the_cause(tmp_path: Path):
    cause = OSError(errno.EDQUOT, "quota")

    with (
        pytest.raises(NotApplied, match="cannot be written: disk quota exceeded") as refused,
        refusing(tmp_path, "cannot be written"),
    ):
        raise cause

    assert refused.value.__cause__ is cause
    assert refused.value.at is not None
    assert refused.value.at.path == PurePosixPath(tmp_path)
    assert refused.value.hint is not None
