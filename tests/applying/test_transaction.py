from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import threading
from pathlib import Path, PurePosixPath

import pytest

from staplecfg.applying.transaction import carry
from staplecfg.machine.journal import interrupted, sweep
from staplecfg.machine.undo import undo
from staplecfg.model.change import Change
from staplecfg.model.errors import NotApplied, ServerRefused, StalePlan, UndoFailed, Unreadable
from tests.support import killpoints
from tests.support.scenery import BIG, Machine, change, file, link


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine.furnished(tmp_path / "root")


def begun(machine: Machine, *changes: Change):
    return carry(
        changes or machine.changes(),
        state_dir=machine.state_dir,
        root=machine.root,
        included=machine.included,
    )


def test_everything_is_in_its_place_after_a_commit(machine: Machine):
    machine.apply()

    etc = machine.root / "etc"
    assert (etc / "nginx/sites/shop").read_bytes() == BIG + b"ssl_stapling on;\n"
    assert (etc / "nginx/sites/shop").stat().st_mode & 0o7777 == 0o640
    assert (etc / "units/new.timer").stat().st_mode & 0o7777 == 0o600
    assert not (etc / "units/old.timer").exists()
    assert (etc / "nginx/enabled/new").readlink() == Path("../sites/shop")
    assert (etc / "nginx/enabled/shop").readlink() == Path("../sites/shop")
    assert not (etc / "nginx/enabled/gone").is_symlink()
    assert (machine.state_dir / "nginx/k/staple.conf").read_bytes() == b"# nothing yet\n"
    assert [path.name for path in machine.state_dir.iterdir()] == ["nginx"]
    assert interrupted(machine.state_dir) is None


def test_no_changes_touch_nothing(machine: Machine):
    before = machine.looks()

    with carry(
        (), state_dir=machine.state_dir, root=machine.root, included=machine.included
    ) as transaction:
        transaction.commit()

    assert machine.looks() == before
    assert not machine.state_dir.exists()


def test_without_a_commit_everything_is_undone(machine: Machine):
    before = machine.looks()

    with begun(machine):
        assert machine.looks() != before

    assert machine.looks() == before


def test_what_the_server_refuses_is_undone_and_says_so(machine: Machine):
    before = machine.looks()

    with pytest.raises(ServerRefused, match="unknown directive") as refused, begun(machine):
        raise ServerRefused("nginx says:\n    unknown directive")

    assert machine.looks() == before
    assert refused.value.state == "restored 7 files"


@pytest.mark.parametrize(
    ("raised", "expected", "message"),
    [
        pytest.param(OSError(errno.EIO, "?"), NotApplied, "input/output error", id="OSError"),
        pytest.param(KeyboardInterrupt(), NotApplied, "interrupted", id="KeyboardInterrupt"),
        pytest.param(Unreadable("gone"), Unreadable, "gone", id="another error of ours"),
        pytest.param(KeyError("bug"), KeyError, "bug", id="a bug stays a bug"),
        pytest.param(SystemExit(3), SystemExit, "3", id="leaving"),
    ],
)
def test_whatever_is_raised_undoes(
    machine: Machine, raised: BaseException, expected: type[BaseException], message: str
):
    before = machine.looks()

    with pytest.raises(expected, match=message), begun(machine):
        raise raised

    assert machine.looks() == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_undoes_and_the_handlers_come_back(machine: Machine, number: signal.Signals):
    before = machine.looks()
    handler = signal.getsignal(number)

    with (
        pytest.raises(NotApplied, match=f"interrupted by {number.name}") as stopped,
        begun(machine),
    ):
        signal.raise_signal(number)

    assert machine.looks() == before
    assert stopped.value.state == "restored 7 files"
    assert signal.getsignal(number) is handler


def test_a_signal_after_the_commit_comes_at_the_end(machine: Machine):
    with pytest.raises(KeyboardInterrupt), begun(machine) as transaction:
        transaction.commit()
        signal.raise_signal(signal.SIGINT)
        (machine.root / "reached").touch()

    assert (machine.root / "reached").exists()
    assert (machine.root / "etc/units/new.timer").exists()


def test_an_ignored_hangup_stays_ignored(machine: Machine):
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with begun(machine) as transaction:
            signal.raise_signal(signal.SIGHUP)
            transaction.commit()
    finally:
        signal.signal(signal.SIGHUP, before)

    assert (machine.root / "etc/units/new.timer").exists()


def test_it_works_in_a_thread_too(machine: Machine):
    thread = threading.Thread(target=machine.apply)
    thread.start()
    thread.join()

    assert (machine.root / "etc/units/new.timer").exists()


def test_an_error_after_the_commit_undoes_nothing(machine: Machine):
    with pytest.raises(Unreadable) as late, begun(machine) as transaction:
        transaction.commit()
        raise Unreadable("too late")

    assert late.value.state is None
    assert (machine.root / "etc/units/new.timer").exists()


@pytest.mark.parametrize(
    ("path", "meddle", "problem"),
    [
        pytest.param(
            "etc/nginx/sites/shop",
            lambda p: p.write_bytes(b"theirs"),
            "has been changed",
            id="bytes",
        ),
        pytest.param("etc/units/old.timer", Path.unlink, "is gone", id="gone"),
        pytest.param(
            "etc/units/new.timer",
            lambda p: p.write_bytes(b"theirs"),
            "made by somebody else",
            id="made",
        ),
        pytest.param(
            "etc/nginx/enabled/shop",
            lambda p: (p.unlink(), p.symlink_to("elsewhere")),
            "has been changed",
            id="link turned",
        ),
        pytest.param(
            "etc/nginx/sites/shop",
            lambda p: (p.rename(p.with_name("moved")), p.symlink_to("moved")),
            "has been changed",
            id="file became a link to the same bytes",
        ),
    ],
)
def test_what_is_not_as_planned_stops_it_before_it_begins(
    machine: Machine, path: str, meddle, problem: str
):
    meddle(machine.root / path)
    before = machine.looks()

    with pytest.raises(StalePlan, match=problem) as stale:
        machine.apply()

    assert machine.looks() == before
    assert stale.value.state == "nothing was changed"
    assert stale.value.at is not None
    assert stale.value.at.path == PurePosixPath(machine.root / path)


def test_what_is_changed_while_it_goes_on_undoes_it_and_is_left_alone(machine: Machine):
    """The other writer comes when the first change has been made: between begin and its turn."""
    shop = machine.root / "etc/nginx/sites/shop"
    before = machine.looks()

    class Meddling(tuple[Change, ...]):
        __slots__ = ()

        def __iter__(self):
            for number, each in enumerate(tuple.__iter__(self)):
                if number == 1 and (machine.state_dir / "journal/manifest.json").exists():
                    shop.write_bytes(b"theirs")
                yield each

    with (
        pytest.raises(StalePlan, match="has been changed") as stale,
        carry(
            Meddling(machine.changes()),
            state_dir=machine.state_dir,
            root=machine.root,
            included=machine.included,
        ),
    ):
        pytest.fail("it went on")

    assert stale.value.state == f"restored 1 file; left alone, changed by somebody else: {shop}"
    assert shop.read_bytes() == b"theirs"
    shop.write_bytes(BIG)
    assert machine.looks() == before


def test_somebody_elses_work_done_meanwhile_survives_the_undoing(machine: Machine):
    shop = machine.root / "etc/nginx/sites/shop"

    with pytest.raises(ServerRefused) as refused, begun(machine):
        shop.write_bytes(b"theirs")
        raise ServerRefused("no")

    assert shop.read_bytes() == b"theirs"
    assert refused.value.state is not None
    assert refused.value.state.startswith("restored 6 files; left alone")
    assert interrupted(machine.state_dir) is None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(file(BIG), link("elsewhere"), id="a file into a link"),
        pytest.param(link("x"), file(b"new"), id="a link into a file"),
    ],
)
def test_a_file_and_a_link_do_not_change_into_each_other(machine: Machine, before, after):
    if before.link is not None:
        (machine.root / "etc/nginx/sites/shop").unlink()
        (machine.root / "etc/nginx/sites/shop").symlink_to("x")
    looks = machine.looks()

    with pytest.raises(NotApplied, match="would become"):
        machine.apply(change("/etc/nginx/sites/shop", before, after))

    assert machine.looks() == looks


def test_a_hard_link_is_refused_before_anything_is_done(machine: Machine):
    (machine.root / "etc/other").hardlink_to(machine.root / "etc/nginx/sites/shop")
    before = machine.looks()

    with pytest.raises(NotApplied, match="hard links"):
        machine.apply()

    assert machine.looks() == before


def test_two_changes_of_one_path_are_a_bug(machine: Machine):
    before = machine.looks()
    twice = change("/etc/a", None, file(b"1")), change("/etc/./a", None, file(b"2"))

    with pytest.raises(ValueError, match="two changes"):
        machine.apply(*twice)

    assert machine.looks() == before


def test_a_change_of_the_mode_alone_is_made_and_undone(machine: Machine):
    before = machine.looks()
    shop = machine.root / "etc/nginx/sites/shop"
    private = change("/etc/nginx/sites/shop", file(BIG), file(BIG, mode=0o600))

    with begun(machine, private):
        assert shop.stat().st_mode & 0o7777 == 0o600
    assert machine.looks() == before

    machine.apply(private)
    assert shop.stat().st_mode & 0o7777 == 0o600


def test_undoing_gives_back_owner_mode_and_labels_of_what_was_deleted(machine: Machine):
    old = machine.root / "etc/units/old.timer"
    try:
        os.setxattr(old, "user.note", b"by hand")
    except OSError as error:
        pytest.skip(f"no extended attributes here: {error.strerror}")
    if os.geteuid() == 0:
        os.chown(old, 1234, 5678)
    before = machine.looks()

    with begun(machine):
        assert not old.exists()

    assert machine.looks() == before


def test_directories_in_state_that_are_emptied_go_too(machine: Machine):
    machine.apply()
    snippet = "/var/lib/staplecfg/nginx/k/staple.conf"

    with begun(machine, change(snippet, file(b"# nothing yet\n"), None)):
        assert not (machine.root / snippet.lstrip("/")).exists()
    assert (machine.root / snippet.lstrip("/")).exists()

    machine.apply(change(snippet, file(b"# nothing yet\n"), None))
    assert list(machine.state_dir.iterdir()) == []
    assert (machine.root / "etc/units").is_dir()


def test_links_in_the_path_lead_within_the_root(machine: Machine):
    (machine.root / "srv").symlink_to("/etc/nginx")

    machine.apply(change("/srv/sites/shop", file(BIG), file(b"new")))

    assert (machine.root / "etc/nginx/sites/shop").read_bytes() == b"new"


def test_an_undecodable_name_survives_the_journal(machine: Machine):
    name = os.fsdecode(b"/etc/\xff\xfe.conf")
    before = machine.looks()

    with begun(machine, change(name, None, file(b"x"))):
        assert (machine.root / name.lstrip("/")).exists()

    assert machine.looks() == before


def anew(root: Path) -> Machine:
    """Return the machine as it was delivered."""
    shutil.rmtree(root, ignore_errors=True)
    return Machine.furnished(root)


def recovered_to(machine: Machine, before: dict[str, tuple[object, ...]]) -> bool:
    """Undo as the next run does, and say whether it found everything done instead."""
    journal = interrupted(machine.state_dir)
    if journal is not None:
        undo(journal)
    sweep(machine.state_dir)
    assert interrupted(machine.state_dir) is None
    assert not [path for path in machine.root.rglob("*") if ".staplecfg-" in path.name]
    if (machine.root / "etc/units/new.timer").exists():
        assert not (machine.state_dir / "journal").exists()
        return True
    assert machine.looks() == before
    return False


def test_killed_at_every_point_the_next_run_finds_everything_as_it_was(tmp_path: Path):
    before = anew(tmp_path / "root").looks()
    points = killpoints.count(Machine(tmp_path / "root").apply)
    done = []

    for point in range(1, points + 1):
        machine = anew(tmp_path / "root")
        assert killpoints.kill_at(point, machine.apply).killed
        assert_nothing_included_is_temporary(machine)
        done.append(recovered_to(machine, before))

    assert points > 50
    assert done == sorted(done), "there is one instant of commitment"
    assert {False, True} == set(done)


def assert_nothing_included_is_temporary(machine: Machine) -> None:
    assert {path.name for path in (machine.root / "etc/nginx/enabled").iterdir()} <= {
        "shop",
        "gone",
        "new",
    }


def test_killed_while_undoing_at_every_point_the_run_after_that_finishes(tmp_path: Path):
    machine = Machine.furnished(tmp_path / "root")
    before = machine.looks()

    def leave_under_way() -> None:
        with begun(machine):
            os.kill(os.getpid(), signal.SIGKILL)

    def recover() -> None:
        journal = interrupted(machine.state_dir)
        if journal is not None:
            undo(journal)
        sweep(machine.state_dir)

    def count_recovery() -> None:
        assert killpoints.kill_at(10**9, leave_under_way).killed
        assert machine.looks() != before

    count_recovery()
    points = killpoints.count(recover)
    for point in range(1, points + 1):
        count_recovery()
        assert killpoints.kill_at(point, recover).killed
        recover()
        assert machine.looks() == before

    assert points > 20


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EROFS, errno.EACCES])
def test_an_error_at_every_point_undoes_everything_at_once(tmp_path: Path, number: int):
    before = anew(tmp_path / "root").looks()
    points = killpoints.count(Machine(tmp_path / "root").apply)

    for point in range(1, points + 1):
        machine = anew(tmp_path / "root")
        ended = killpoints.fail_at(point, number, machine.apply)
        assert interrupted(machine.state_dir) is None
        assert_nothing_included_is_temporary(machine)
        if ended.error is None:
            assert recovered_to(machine, before), "it said that it was done"
        else:
            assert ended.error.startswith("NotApplied: "), ended.trace
            assert machine.looks() == before


def test_a_disk_that_fills_up_on_the_way_is_undone(tmp_path: Path):
    (tmp_path / "root").mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "none", str(tmp_path / "root")]
    if os.geteuid() != 0 or subprocess.run(mount, check=False).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        machine = Machine.furnished(tmp_path / "root")
        before = machine.looks()
        fitting = change("/etc/a", None, file(b"a" * 100_000))
        too_much = change("/etc/b", None, file(b"b" * 200_000))

        with pytest.raises(NotApplied, match="no space left") as full:
            machine.apply(*machine.changes(), fitting, too_much)

        assert full.value.state == "restored 8 files"
        assert machine.looks() == before
    finally:
        subprocess.run(["umount", str(tmp_path / "root")], check=True)


def test_undoing_needs_no_room_on_the_disk(tmp_path: Path):
    (tmp_path / "root").mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "none", str(tmp_path / "root")]
    if os.geteuid() != 0 or subprocess.run(mount, check=False).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        machine = Machine.furnished(tmp_path / "root")
        before = machine.looks()
        filler = machine.root / "filler"

        with pytest.raises(ServerRefused) as refused, begun(machine):
            with pytest.raises(OSError, match="No space"), filler.open("wb", buffering=0) as log:
                while True:
                    log.write(b"log" * 100)
            raise ServerRefused("no")

        assert refused.value.state == "restored 7 files"
        filler.unlink()
        assert machine.looks() == before
    finally:
        subprocess.run(["umount", str(tmp_path / "root")], check=True)


def test_undoing_brings_back_the_very_file(machine: Machine):
    shop, old = machine.root / "etc/nginx/sites/shop", machine.root / "etc/units/old.timer"
    before = [(path.stat().st_ino, path.stat().st_mtime_ns) for path in (shop, old)]

    with begun(machine):
        assert shop.stat().st_ino != before[0][0]

    assert [(path.stat().st_ino, path.stat().st_mtime_ns) for path in (shop, old)] == before


def test_where_there_are_no_hard_links_the_journal_has_the_bytes(machine: Machine):
    before = machine.looks()

    with begun(machine):
        kept = list(machine.root.glob("etc/**/.staplecfg-*.tmp"))
        assert len(kept) == 4
        for each in kept:
            each.unlink()

    assert machine.looks() == before


def test_what_cannot_be_undone_says_which_file_holds_what_and_is_tried_again(machine: Machine):
    before = machine.looks()
    shop = machine.root / "etc/nginx/sites/shop"
    chattr = ["chattr", "+i", str(shop)]

    with pytest.raises(UndoFailed) as failed, begun(machine):
        if os.geteuid() != 0 or subprocess.run(chattr, check=False).returncode:
            pytest.skip("nothing can be made immutable here")
        raise ServerRefused("no")

    assert failed.value.problem == "1 of 7 changes could not be undone"
    assert failed.value.state is not None
    assert f"{shop}: not undone" in failed.value.state
    kept = Path(failed.value.state.rpartition(" ")[2])
    assert kept.read_bytes() == BIG
    assert not (machine.root / "etc/units/new.timer").exists(), "the others are undone"
    with pytest.raises(NotApplied, match="interrupted run"):
        machine.apply()

    subprocess.run(["chattr", "-i", str(shop)], check=True)
    journal = interrupted(machine.state_dir)
    assert journal is not None
    undo(journal)
    assert machine.looks() == before
