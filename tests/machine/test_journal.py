from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from staplecfg.machine.journal import begin, commit, interrupted, sweep
from staplecfg.machine.undo import Outcome, Undone, undo
from staplecfg.model.errors import NotApplied, UndoFailed
from tests.support.scenery import BIG, Machine, change, file

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine.furnished(tmp_path / "root")


def begun(machine: Machine, *changes):
    return begin(
        machine.state_dir,
        changes or machine.changes(),
        root=machine.root,
        included=machine.included,
    )


def test_a_journal_survives_the_process(machine: Machine):
    before = machine.looks()

    journal = begun(machine)

    assert interrupted(machine.state_dir) == journal
    assert {
        name: look for name, look in machine.looks().items() if "staplecfg/" not in name
    } == before
    assert (machine.state_dir / "journal").stat().st_mode & 0o777 == 0o700


def test_nothing_is_under_way_at_first_and_after_a_commit(machine: Machine):
    assert interrupted(machine.state_dir) is None

    commit(begun(machine))

    assert interrupted(machine.state_dir) is None
    assert not (machine.state_dir / "journal").exists()


def test_a_second_apply_does_not_begin_over_the_first(machine: Machine):
    first = begun(machine)

    with pytest.raises(NotApplied, match="must be undone first"):
        begun(machine)

    assert interrupted(machine.state_dir) == first


def test_the_directories_to_be_made_are_known_before(machine: Machine):
    journal = begun(machine, change("/etc/a/b/c.conf", None, file(b"")))

    assert journal.created == (machine.root / "etc/a", machine.root / "etc/a/b")
    assert not (machine.root / "etc/a").exists()


def test_undoing_goes_backwards_and_says_what_became_of_each(machine: Machine):
    begun(machine)
    (machine.root / "etc/units/new.timer").write_bytes(b"[Timer]\n")
    (machine.root / "etc/nginx/sites/shop").write_bytes(b"theirs")

    journal = interrupted(machine.state_dir)
    assert journal is not None
    undone = undo(journal)

    assert [each.path for each in undone] == [entry.path for entry in reversed(journal.entries)]
    assert Undone(machine.root / "etc/units/new.timer", Outcome.RESTORED) in undone
    assert Undone(machine.root / "etc/nginx/sites/shop", Outcome.LEFT_ALONE) in undone
    assert Undone(machine.root / "etc/units/old.timer", Outcome.AS_BEFORE) in undone
    assert interrupted(machine.state_dir) is None


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"{", id="cut off"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b'{"schema": 2}', id="of a later version"),
        pytest.param(b'{"schema": 1, "created": [], "entries": [{}]}', id="an empty entry"),
        pytest.param(b'{"schema": 1, "created": [], "entries": [null]}', id="no entry"),
    ],
)
def test_a_journal_that_cannot_be_gone_by_needs_a_person(machine: Machine, said: bytes):
    begun(machine)
    (machine.state_dir / "journal/manifest.json").write_bytes(said)

    with pytest.raises(UndoFailed, match="its journal cannot be used") as failed:
        interrupted(machine.state_dir)

    assert failed.value.hint is not None
    assert str(machine.state_dir / "journal") in failed.value.hint


def test_a_journal_of_somebody_else_is_not_gone_by(machine: Machine):
    if os.geteuid() != 0:
        pytest.skip("only root can give files away")
    begun(machine)
    os.chown(machine.state_dir / "journal", 1234, 1234)

    with pytest.raises(UndoFailed, match="belongs to user 1234"):
        interrupted(machine.state_dir)


def test_kept_bytes_that_rotted_are_not_put_back(machine: Machine):
    journal = begun(machine)
    shop = machine.root / "etc/nginx/sites/shop"
    shop.write_bytes(BIG + b"ssl_stapling on;\n")
    entry = next(entry for entry in journal.entries if entry.path == shop)
    assert entry.backup is not None
    (machine.state_dir / "journal" / entry.backup).write_bytes(b"rotten")

    with pytest.raises(UndoFailed) as failed:
        undo(journal)

    assert failed.value.state is not None
    assert "does not hold the bytes" in failed.value.state
    assert shop.read_bytes() == BIG + b"ssl_stapling on;\n"
    assert interrupted(machine.state_dir) == journal


def test_sweeping_takes_what_killed_runs_left_and_nothing_else(machine: Machine):
    store = machine.state_dir / "store"
    store.mkdir(parents=True)
    (store / ".staplecfg-0123.tmp").write_bytes(b"half")
    (store / "abc.der").write_bytes(b"staple")
    (store / ".hidden").write_bytes(b"theirs")
    (machine.state_dir / "journal").mkdir()
    (machine.state_dir / "journal/0.before").write_bytes(b"never begun")

    swept = sweep(machine.state_dir)

    assert set(swept) == {store / ".staplecfg-0123.tmp", machine.state_dir / "journal"}
    assert {path.name for path in store.iterdir()} == {"abc.der", ".hidden"}
    assert sweep(machine.state_dir) == ()
    assert sweep(machine.state_dir / "missing") == ()


def test_sweeping_leaves_an_apply_under_way(machine: Machine):
    journal = begun(machine)

    assert sweep(machine.state_dir) == ()
    assert interrupted(machine.state_dir) == journal


def test_the_manifest_can_be_read_by_a_person(machine: Machine):
    begun(machine)

    said = json.loads((machine.state_dir / "journal/manifest.json").read_bytes())

    assert said["schema"] == 1
    shop = said["entries"][1]
    assert shop["path"] == str(machine.root / "etc/nginx/sites/shop")
    assert shop["kind"] == "config"
    assert (machine.state_dir / "journal" / shop["backup"]).read_bytes() == BIG


def test_a_journal_that_others_can_write_is_not_gone_by(machine: Machine):
    begun(machine)
    directory = machine.state_dir / "journal"

    for path, mode in ((directory, 0o770), (directory / "manifest.json", 0o602)):
        before = path.stat().st_mode
        path.chmod(mode)
        with pytest.raises(UndoFailed, match="others than its owner"):
            interrupted(machine.state_dir)
        path.chmod(before)
    assert interrupted(machine.state_dir) is not None


def test_a_link_in_the_place_of_the_journal_is_not_gone_by(machine: Machine, tmp_path: Path):
    begun(machine)
    (machine.state_dir / "journal").rename(tmp_path / "elsewhere")
    (machine.state_dir / "journal").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(UndoFailed, match="is a link"):
        interrupted(machine.state_dir)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_manifest_put_there_by_somebody_else_is_not_gone_by(machine: Machine):
    begun(machine)
    os.chown(machine.state_dir / "journal" / "manifest.json", 65534, 65534)

    with pytest.raises(UndoFailed, match="belongs to user 65534"):
        interrupted(machine.state_dir)
