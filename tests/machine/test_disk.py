from __future__ import annotations

import os
import socket
from pathlib import Path, PurePosixPath

import pytest

from staplecfg.machine.disk import LARGEST, Disk
from staplecfg.model.errors import Unreadable
from staplecfg.model.filesystem import Filesystem, MemoryFilesystem, follow
from tests.support.identity import as_nobody


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A machine in a directory, with a secret of the real machine beside it."""
    root = tmp_path / "root"
    (root / "etc/nginx/sites-available").mkdir(parents=True)
    (root / "etc/nginx/sites-enabled").mkdir()
    (root / "etc/nginx/nginx.conf").write_bytes(b"events {}\n")
    (root / "etc/nginx/sites-available/shop").write_bytes(b"server {}\n")
    (root / "etc/nginx/sites-enabled/shop").symlink_to("/etc/nginx/sites-available/shop")
    (root / "opt").symlink_to("/etc")
    (tmp_path / "secret").write_bytes(b"of the real machine")
    return root


def absolute(path: Path | str) -> PurePosixPath:
    return PurePosixPath(path)


def test_a_disk_is_a_filesystem(tree: Path):
    files: Filesystem = Disk(tree)

    assert files.read(absolute("/etc/nginx/nginx.conf")) == b"events {}\n"


@pytest.mark.parametrize(
    ("path", "resolved"),
    [
        pytest.param("/etc/nginx/nginx.conf", "/etc/nginx/nginx.conf", id="no link at all"),
        pytest.param(
            "/etc/nginx/sites-enabled/shop",
            "/etc/nginx/sites-available/shop",
            id="an absolute target is the tree's",
        ),
        pytest.param("/opt/nginx/nginx.conf", "/etc/nginx/nginx.conf", id="a linked directory"),
        pytest.param("/opt/../opt/nginx", "/etc/nginx", id="up and down again"),
        pytest.param("/../../secret", "/secret", id="never above the root"),
        pytest.param("/opt/missing/file", "/etc/missing/file", id="a missing tail is kept"),
        pytest.param("/", "/", id="the root"),
    ],
)
def test_links_are_followed_within_the_root(tree: Path, path: str, resolved: str):
    disk = Disk(tree)

    assert disk.resolve(absolute(path)) == absolute(resolved)
    assert disk.real_path(absolute(path)) == tree / resolved.lstrip("/")


def test_a_link_out_of_the_tree_does_not_lead_to_the_real_machine(tree: Path):
    (tree / "etc/out").symlink_to("../../../../../../../secret")
    (tree / "etc/absolute").symlink_to(tree.parent / "secret")

    assert not Disk(tree).exists(absolute("/etc/out"))
    assert not Disk(tree).exists(absolute("/etc/absolute"))
    with pytest.raises(Unreadable, match="no such file"):
        Disk(tree).read(absolute("/etc/out"))


def test_resolving_agrees_with_the_model_and_with_the_kernel(tree: Path):
    (tree / "etc/up").symlink_to("nginx/../nginx/sites-enabled/./shop")
    inside = Disk(tree)

    assert inside.resolve(absolute("/etc/up")) == follow(absolute("/etc/up"), inside.link)
    assert Disk().resolve(absolute(tree / "etc/nginx/../nginx")) == absolute(
        os.path.realpath(tree / "etc/nginx")
    )


def test_links_in_a_circle_are_unreadable_under_a_root_and_without(tree: Path):
    (tree / "a").symlink_to("b")
    (tree / "b").symlink_to("a")

    for disk, path in ((Disk(tree), "/a"), (Disk(), str(tree / "a"))):
        with pytest.raises(Unreadable, match="levels of symbolic links"):
            disk.read(absolute(path))
        with pytest.raises(Unreadable, match="levels of symbolic links"):
            disk.resolve(absolute(path))


def test_a_link_is_told_without_being_followed(tree: Path):
    disk = Disk(tree)

    shop = absolute("/opt/nginx/sites-enabled/shop")
    assert disk.link(shop) == "/etc/nginx/sites-available/shop"
    assert disk.place(shop) == tree / "etc/nginx/sites-enabled/shop"
    assert disk.link(absolute("/etc/nginx/nginx.conf")) is None
    assert disk.link(absolute("/etc/missing")) is None


def test_a_listing_is_sorted_by_bytes_and_holds_undecodable_names(tmp_path: Path):
    for name in (b"b", b"\xffz", b"a", b".hidden", "é".encode()):
        os.close(os.open(os.fsencode(tmp_path) + b"/" + name, os.O_CREAT | os.O_WRONLY))

    names = Disk().listing(absolute(tmp_path))

    assert [os.fsencode(name) for name in names] == [b".hidden", b"a", b"b", "é".encode(), b"\xffz"]
    assert Disk().read(absolute(tmp_path / names[-1])) == b""


def test_what_is_no_directory_has_an_empty_listing(tree: Path):
    assert Disk(tree).listing(absolute("/etc/nginx/nginx.conf")) == ()
    assert Disk(tree).listing(absolute("/nowhere")) == ()
    assert Disk(tree).listing(absolute("/etc/nginx/sites-enabled")) == ("shop",)


def test_what_would_block_or_act_is_refused_at_once(tmp_path: Path):
    os.mkfifo(tmp_path / "fifo")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))

        for path in (tmp_path / "fifo", tmp_path / "socket", Path("/dev/zero")):
            with pytest.raises(Unreadable, match="not a regular file"):
                Disk().read(absolute(path))


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        pytest.param("missing", "no such file", id="missing"),
        pytest.param(".", "is a directory", id="directory"),
        pytest.param("file/below", "not a directory", id="below a file"),
        pytest.param("nul\0byte", "no file can have this name", id="NUL byte"),
        pytest.param("x" * 300, "file name too long", id="longer than any name"),
    ],
)
def test_an_unreadable_file_says_why_and_where(tmp_path: Path, name: str, problem: str):
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(Unreadable, match=problem) as refused:
        Disk().read(absolute(tmp_path / name))

    assert refused.value.at is not None
    assert refused.value.at.path == absolute(tmp_path / name)


def test_a_name_that_cannot_be_is_not_there():
    assert not Disk().exists(absolute("/etc/a\0b"))
    assert Disk().listing(absolute("/etc/a\0b")) == ()
    assert Disk(Path("/etc")).resolve(absolute("/a\0b")) == absolute("/a\0b")


def test_a_file_too_large_is_refused_unread(tmp_path: Path):
    for name, size in (("most", LARGEST), ("more", LARGEST + 1)):
        with (tmp_path / name).open("wb") as sparse:
            sparse.truncate(size)

    assert len(Disk().read(absolute(tmp_path / "most"))) == LARGEST
    with pytest.raises(Unreadable, match="larger than 64 MiB"):
        Disk().read(absolute(tmp_path / "more"))


def test_a_file_that_says_it_is_empty_is_read_whole():
    assert b"Name:" in Disk().read(absolute("/proc/self/status"))


def test_what_is_forbidden_says_so_and_is_not_called_missing(open_path: Path):
    locked = open_path / "locked"
    locked.mkdir()
    (locked / "file").write_bytes(b"x")
    (open_path / "private").write_bytes(b"x")
    (open_path / "private").chmod(0o600)
    locked.chmod(0o700)

    def look() -> None:
        for ask, path in (
            (Disk().read, open_path / "private"),
            (Disk().read, locked / "file"),
            (Disk().exists, locked / "file"),
            (Disk().listing, locked),
        ):
            with pytest.raises(Unreadable, match="permission denied") as refused:
                ask(absolute(path))
            assert refused.value.hint == "run as root"

    as_nobody(open_path, look)


def test_it_answers_as_the_memory_does(tree: Path):
    memory = MemoryFilesystem.of(
        {
            "/etc/nginx/nginx.conf": b"events {}\n",
            "/etc/nginx/sites-available/shop": b"server {}\n",
        },
        {"/etc/nginx/sites-enabled/shop": "/etc/nginx/sites-available/shop", "/opt": "/etc"},
    )
    disk = Disk(tree)

    for text in ("/opt/nginx/sites-enabled/shop", "/opt", "/none", "/etc/nginx", "/opt/nginx/x"):
        path = absolute(text)
        assert disk.resolve(path) == memory.resolve(path)
        assert disk.exists(path) == memory.exists(path)
        assert disk.listing(path) == memory.listing(path)
