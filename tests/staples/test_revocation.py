"""A revocation outlives the good answers that were given before it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from staplecfg.model.facts import Attempts
from staplecfg.model.verdict import Good, Reason, Rejected, Unreachable
from staplecfg.staples.revocation import after_revocation
from tests.support.facts import DAY, NOW, SHOP, staple

GOOD = Good(staple(SHOP, age=DAY))
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("result", "revoked_at"),
    [
        pytest.param(GOOD, None, id="never revoked"),
        pytest.param(GOOD, NOW - DAY - SECOND, id="good since, so it was lifted"),
        pytest.param(Unreachable("http://o.example/", "down"), NOW, id="no answer"),
        pytest.param(Rejected(Reason.TIME, "old", 10), NOW, id="another rejection"),
    ],
)
def test_what_says_nothing_against_it_stays(result, revoked_at):
    assert after_revocation(result, Attempts(SHOP.sha256, revoked_at=revoked_at)) is result


@pytest.mark.parametrize("later", [timedelta(0), SECOND, DAY])
def test_a_good_answer_from_before_is_no_good(later):
    at = NOW - DAY + later

    result = after_revocation(GOOD, Attempts(SHOP.sha256, revoked_at=at))

    assert isinstance(result, Rejected)
    assert (result.reason, result.revoked_at) == (Reason.REVOKED, at)
