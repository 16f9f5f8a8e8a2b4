"""Which staple may be served, and which not any more."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from staplecfg.model.facts import Stored
from staplecfg.model.staple import CertStatus, Staple
from staplecfg.planning.servable import servable
from tests.support.facts import BLOG, DAY, NOW, SHOP, SHOP_PEM, http, server, staple
from tests.support.planned import machine

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def served(stored: Stored | Staple | None) -> Staple | None:
    seen = machine(http(server()), {SHOP_PEM: SHOP}, stored={SHOP: stored} if stored else {})
    return servable(SHOP.sha256, seen)


@pytest.mark.parametrize(
    "good",
    [
        pytest.param(staple(SHOP), id="a day old"),
        pytest.param(staple(SHOP, age=DAY * 6), id="a day left"),
        pytest.param(staple(SHOP, age=DAY * 7 - 80 * MINUTE), id="until after the next run"),
        pytest.param(staple(SHOP, age=MINUTE * 80, life=HOUR * 3), id="short-lived"),
        pytest.param(staple(SHOP, age=-MINUTE), id="within the clocks' difference"),
    ],
)
def test_a_good_staple_is_served(good):
    assert served(good) is good


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(None, id="none"),
        pytest.param(Stored(None, "signature"), id="refused by the store"),
        pytest.param(staple(SHOP, age=DAY * 8), id="expired"),
        pytest.param(staple(SHOP, age=DAY * 7), id="expiring this moment"),
        pytest.param(staple(SHOP, age=DAY * 7 - 70 * MINUTE), id="until before the next run"),
        pytest.param(staple(SHOP, age=HOUR * 2, life=HOUR * 3), id="short-lived, an hour left"),
        pytest.param(staple(SHOP, age=MINUTE, life=HOUR), id="shorter-lived than the next run"),
        pytest.param(staple(SHOP, responder_expires=NOW), id="the responder's end"),
        pytest.param(staple(BLOG), id="another certificate's"),
        pytest.param(replace(staple(SHOP), status=CertStatus.REVOKED), id="revoked"),
        pytest.param(staple(SHOP, age=-DAY), id="from the future"),
    ],
)
def test_any_other_is_not(bad):
    assert served(bad) is None
