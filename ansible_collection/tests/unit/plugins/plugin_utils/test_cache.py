# Copyright: The staplecfg engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import threading

import pytest

from ansible_collections.staplecfg.stapling.plugins.plugin_utils._cache import Cache, CacheTrouble, Entry

GOOD = {"der": b"\x30\x00", "this_update": 100.0, "due": 200.0, "expires": 300.0, "not_before": 180.0}


@pytest.mark.parametrize(
    "known, now, newer_than, expected",
    [
        ({}, 150, None, True),
        ({}, 150, 99.0, True),
        ({}, 150, 100.0, False),
        ({}, 250, None, True),
        ({}, 300, None, False),
        ({"revoked": True}, 150, None, False),
        ({"der": None}, 150, None, False),
    ],
)
def test_what_may_be_handed_over(known, now, newer_than, expected):
    assert Entry(**{**GOOD, **known}).usable(now, newer_than) is expected


@pytest.mark.parametrize(
    "known, now, newer_than, expected",
    [
        ({}, 150, None, False),
        ({}, 190, None, False),
        ({}, 210, None, True),
        ({"not_before": 220.0}, 210, None, False),
        ({}, 150, 100.0, False),
        ({}, 190, 100.0, True),
        ({"der": None}, 150, None, False),
        ({"der": None}, 180, None, True),
        ({"not_before": None}, 150, None, True),
    ],
)
def test_when_to_ask(known, now, newer_than, expected):
    assert Entry(**{**GOOD, **known}).worth_asking(now, newer_than) is expected


def test_what_is_written_is_read(tmp_path):
    cache = Cache(str(tmp_path / "cache"))
    cache.write("ff", Entry(**GOOD, problem="late"))

    read = Cache(str(tmp_path / "cache")).read("ff")

    assert {name: getattr(read, name) for name in Entry.FIELDS} == {**GOOD, "outcome": None, "problem": "late", "revoked": None}
    assert os.stat(str(tmp_path / "cache")).st_mode & 0o777 == 0o700
    assert sorted(os.listdir(str(tmp_path / "cache"))) == ["ff.json"]


@pytest.mark.parametrize("junk", ["", "{", "[]", "{}", '{"der": "*"}', "null"])
def test_junk_is_nothing_known(tmp_path, junk):
    cache = Cache(str(tmp_path / "cache"))
    (tmp_path / "cache/ff.json").write_text(junk)

    assert cache.read("ff").not_before is None


def test_a_directory_that_others_may_write_into_is_refused(tmp_path):
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache").chmod(0o777)

    with pytest.raises(CacheTrouble, match="others may write"):
        Cache(str(tmp_path / "cache"))


def test_a_file_in_the_place_of_the_directory_is_refused(tmp_path):
    (tmp_path / "cache").write_text("")

    with pytest.raises(CacheTrouble):
        Cache(str(tmp_path / "cache"))


def test_one_at_a_time_holds_a_key(tmp_path):
    cache, log = Cache(str(tmp_path / "cache")), []

    def hold():
        with cache.holding("ff"):
            log.append("in")
            log.append("out")

    with cache.holding("ff"), cache.holding("00"):
        threads = [threading.Thread(target=hold) for _each in range(4)]
        for thread in threads:
            thread.start()
        assert log == []
    for thread in threads:
        thread.join()

    assert log == ["in", "out"] * 4


def test_what_nobody_wrote_to_for_a_month_is_removed_and_nothing_else(tmp_path):
    cache = Cache(str(tmp_path / "cache"))
    for name in ("0" * 64 + ".json", "0" * 64 + ".lock", "staplecfg-asking-x1", "notes.json", "1" * 64 + ".json"):
        (tmp_path / "cache" / name).write_text("")
        if name[0] != "1":
            os.utime(str(tmp_path / "cache" / name), (0, 0))

    cache.write("ff", Entry(**GOOD))

    assert sorted(os.listdir(str(tmp_path / "cache"))) == ["1" * 64 + ".json", "ff.json", "notes.json"]


def test_a_lock_that_is_in_use_is_not_old(tmp_path):
    cache = Cache(str(tmp_path / "cache"))
    lock = tmp_path / "cache" / ("0" * 64 + ".lock")
    lock.write_text("")
    os.utime(str(lock), (0, 0))

    with cache.holding("0" * 64):
        cache.write("ff", Entry(**GOOD))

    assert lock.exists()
