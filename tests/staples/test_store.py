from __future__ import annotations

import os
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from staplecfg.model.errors import NotApplied
from staplecfg.model.facts import Attempts, Stored
from staplecfg.model.settings import Floors
from staplecfg.model.staple import CertStatus, Staple
from staplecfg.model.verdict import Good
from staplecfg.pki.judge import judge
from staplecfg.staples.store import Kept, Saved, Store
from tests.support.authority import Authority
from tests.support.chains import chain_of

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 1, 15, 12, tzinfo=timezone.utc)
DAY = timedelta(days=1)
FLOORS = Floors()
AUTHORITY = Authority.create()
ISSUED = AUTHORITY.leaf(["a.example"], responders=["http://o.example/"])
CHAIN = chain_of(ISSUED)


def staple(**lies: Any) -> Staple:
    der = AUTHORITY.respond(ISSUED, **{"now": NOW, **lies})
    judgement = judge(der, ISSUED.cert, AUTHORITY.intermediate.cert, now=NOW, floors=FLOORS)
    assert isinstance(judgement, Good), judgement
    return judgement.staple


@pytest.fixture
def store(tmp_path):
    # With a capital, for what is said of it is to be found.
    return Store(tmp_path / "State", floors=FLOORS)


@pytest.fixture
def path(store) -> Path:
    path: Path = store.path(CHAIN.fingerprint)
    path.parent.mkdir(parents=True)
    return path


def test_nothing_is_made_before_something_is_kept(store, tmp_path):
    assert store.load(CHAIN, NOW) == Stored(None)
    assert store.attempts(CHAIN.fingerprint) == Attempts(CHAIN.fingerprint)
    assert store.issuer(CHAIN) is None
    assert list(tmp_path.iterdir()) == []


def test_what_is_kept_are_the_very_bytes_under_the_name_of_the_leaf(store, tmp_path):
    good = staple()

    saving = store.save(good, CHAIN, now=NOW)

    path = tmp_path / "State" / "store" / f"{ISSUED.sha256}.der"
    assert saving == Saved(path)
    assert path.read_bytes() == good.der
    assert store.load(CHAIN, NOW) == Stored(good)
    assert sorted(path.parent.iterdir()) == sorted([path, path.with_suffix(".crt")])


def test_the_certificate_is_remembered_for_whoever_answers_by_certid(store):
    store.save(staple(), CHAIN, now=NOW)

    assert store.known() == {CHAIN.fingerprint}
    kept = store.chain(CHAIN.fingerprint)
    assert kept is not None
    assert (kept.leaf, kept.issuer) == (CHAIN.leaf, CHAIN.issuer)


def test_a_certificate_under_anothers_name_is_not_believed(store):
    store.save(staple(), CHAIN, now=NOW)
    path = store.path(CHAIN.fingerprint).with_suffix(".crt")
    path.rename(path.with_name(f"{'0' * 64}.crt"))

    assert store.chain("0" * 64) is None
    store.save(staple(this_update=NOW - DAY / 48), CHAIN, now=NOW)
    assert store.chain(CHAIN.fingerprint) is not None


def test_modes_do_not_depend_on_the_umask(store):
    before = os.umask(0o077)
    try:
        store.save(staple(), CHAIN, now=NOW)
    finally:
        os.umask(before)

    path = store.path(CHAIN.fingerprint)
    assert path.stat().st_mode & 0o777 == 0o644
    assert path.parent.stat().st_mode & 0o777 == 0o755
    assert path.parent.parent.stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize(
    "worse",
    [
        pytest.param({"this_update": NOW - 2 * DAY}, id="older"),
        pytest.param({"this_update": NOW - 2 * DAY, "next_update": 30 * DAY}, id="older, longer"),
        pytest.param({}, id="the same"),
        pytest.param({"next_update": 2 * DAY}, id="as old, ends sooner"),
    ],
)
def test_a_good_staple_is_not_replaced_by_one_that_is_no_better(store, worse):
    good = staple()
    store.save(good, CHAIN, now=NOW)

    saving = store.save(staple(**worse), CHAIN, now=NOW)

    assert isinstance(saving, Kept)
    assert saving.staple == good
    assert store.path(CHAIN.fingerprint).read_bytes() == good.der


@pytest.mark.parametrize(
    "better",
    [
        pytest.param({"this_update": NOW}, id="newer"),
        pytest.param({"this_update": NOW, "next_update": 2 * DAY}, id="newer, ends sooner"),
        pytest.param({"next_update": 9 * DAY}, id="as old, lives longer"),
    ],
)
def test_a_good_staple_is_replaced_by_a_better_one(store, better):
    store.save(staple(), CHAIN, now=NOW)
    new = staple(**better)

    assert isinstance(store.save(new, CHAIN, now=NOW), Saved)
    assert store.load(CHAIN, NOW) == Stored(new)


def test_an_expired_staple_is_still_there_for_its_age_to_be_told(store):
    good = staple()
    store.save(good, CHAIN, now=NOW)

    assert store.load(CHAIN, NOW + 30 * DAY) == Stored(good)


def other_leaf() -> bytes:
    return AUTHORITY.respond(AUTHORITY.leaf(["b.example"]), now=NOW)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"garbage", id="garbage"),
        pytest.param(staple().der[:-1], id="truncated"),
        pytest.param(other_leaf(), id="another certificate's"),
        pytest.param(AUTHORITY.respond(ISSUED, now=NOW, forge=True), id="forged"),
        pytest.param(AUTHORITY.respond(ISSUED, now=NOW, status="revoked"), id="revoked"),
        pytest.param(AUTHORITY.respond(ISSUED, now=NOW, response_status=3), id="tryLater"),
        pytest.param(bytes(64 * 1024 + 1), id="too large"),
    ],
)
def test_what_was_put_there_is_reported_left_alone_and_replaced_by_a_good_one(store, path, data):
    path.write_bytes(data)
    good = staple()

    stored = store.load(CHAIN, NOW)

    assert stored.staple is None
    assert str(path) in (stored.problem or "")
    assert path.read_bytes() == data
    assert isinstance(store.save(good, CHAIN, now=NOW), Saved)
    assert path.read_bytes() == good.der


def test_a_link_is_neither_followed_nor_replaced(store, path, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(staple().der)
    path.symlink_to(elsewhere)

    assert store.load(CHAIN, NOW).staple is None
    with pytest.raises(NotApplied):
        store.save(staple(), CHAIN, now=NOW)
    assert path.is_symlink()


def test_a_pipe_does_not_block(store, path):
    os.mkfifo(path)

    stored = store.load(CHAIN, NOW)

    assert stored.staple is None
    assert "not a regular file" in (stored.problem or "")


def test_without_the_issuer_nothing_can_be_judged(store):
    store.save(staple(), CHAIN, now=NOW)

    stored = store.load(replace(CHAIN, issuer=None), NOW)

    assert stored.staple is None
    assert "issuer is not known" in (stored.problem or "")


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({"fingerprint": "00" * 32}, id="another leaf"),
        pytest.param({"status": CertStatus.REVOKED}, id="revoked"),
    ],
)
def test_a_staple_that_is_not_the_leafs_own_and_good_is_a_bug(store, wrong):
    with pytest.raises(ValueError, match="staple"):
        store.save(replace(staple(), **wrong), CHAIN, now=NOW)

    assert not store.path(CHAIN.fingerprint).exists()


def test_attempts_are_noted_beside_and_a_corrupt_note_means_none(store):
    noted = Attempts(CHAIN.fingerprint, last_try=NOW, failures=2, error="it was dark")
    store.record(noted)
    side_car = store.path(CHAIN.fingerprint).with_suffix(".json")

    assert store.attempts(CHAIN.fingerprint) == noted
    side_car.write_bytes(b"{\x00")
    assert store.attempts(CHAIN.fingerprint) == Attempts(CHAIN.fingerprint)
    store.record(noted)
    assert store.attempts(CHAIN.fingerprint) == noted


def test_an_issuer_is_kept_and_believed_only_if_it_is_one(store):
    issuer = AUTHORITY.intermediate.cert
    store.save_issuer(CHAIN, issuer)
    assert store.issuer(CHAIN) == issuer

    store.save_issuer(CHAIN, Authority.create(keys="other").intermediate.cert)
    assert store.issuer(CHAIN) is None
