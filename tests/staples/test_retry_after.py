from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from staplecfg.staples.retry_after import parse_retry_after

NOW = datetime(2026, 1, 15, 12, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        pytest.param("600", 600, id="seconds"),
        pytest.param(" 600 ", 600, id="blanks around"),
        pytest.param("0", 60, id="at once, which is a minute"),
        pytest.param("9999999999", 86400, id="centuries, which is a day"),
        pytest.param("Thu, 15 Jan 2026 12:10:00 GMT", 600, id="date"),
        pytest.param("Thu, 15 Jan 2026 12:10:00 -0000", 600, id="date without a zone"),
        pytest.param("Thu, 15 Jan 2026 11:00:00 GMT", 60, id="date gone by"),
        pytest.param("Fri, 31 Dec 9999 23:59:59 GMT", 86400, id="last date of all"),
    ],
)
def test_a_wish_is_heard_between_a_minute_and_a_day(value, seconds):
    assert parse_retry_after(value, NOW) == NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "value", [None, "", "soon", "-5", "1.5", "1e3", "99999999999", "٣", "Thu, 99 Jan", "\x1b[1m"]
)
def test_garbage_is_ignored(value):
    assert parse_retry_after(value, NOW) is None
