from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

import pytest

from staplecfg.model.facts import Attempts
from staplecfg.staples.attempts import attempts_from_json, attempts_to_json

NOW = datetime(2026, 1, 15, 12, 30, 5, tzinfo=timezone.utc)
FULL = Attempts(
    "ab" * 32,
    last_try=NOW,
    last_success=NOW - timedelta(days=1),
    failures=3,
    not_before=NOW + timedelta(microseconds=1500),
    url="http://o.example/",
    error='it said "no" \x1b[1m\u2028',
    revoked_at=NOW,
    told="revoked",
    told_at=NOW,
)


@pytest.mark.parametrize("attempts", [Attempts("ab" * 32), FULL], ids=["nothing", "everything"])
def test_what_is_noted_is_read_again(attempts):
    assert attempts_from_json(attempts_to_json(attempts), attempts.fingerprint) == attempts


def test_times_are_rfc_3339_in_utc():
    assert json.loads(attempts_to_json(FULL))["last_try"] == "2026-01-15T12:30:05Z"


@pytest.mark.parametrize(
    "data",
    [b"", b"\x00\xff", b"[]", b"null", b"3", b"{", b"[" * 100_000, b'{"fingerprint": "cd"}'],
)
def test_a_side_car_that_makes_no_sense_says_nothing(data):
    assert attempts_from_json(data, "ab") == Attempts("ab")


@pytest.mark.parametrize(
    "nonsense",
    [None, True, -1, 1e400, "soon", "2026-01-15T12:30:05", "9999-12-31T23:59:59-23:59", [], {}],
)
def test_a_field_that_makes_no_sense_does_not_spoil_the_others(nonsense):
    document = {"fingerprint": "ab", "last_success": "2026-01-15T12:30:05Z"}
    document.update(dict.fromkeys(("last_try", "not_before", "failures", "revoked_at"), nonsense))

    attempts = attempts_from_json(json.dumps(document).encode(), "ab")

    assert attempts == Attempts("ab", last_success=NOW)


def test_a_count_no_machine_can_have_reached_is_cut():
    data = json.dumps({"fingerprint": "ab", "failures": 10**30}).encode()

    assert attempts_from_json(data, "ab").failures == 10_000
