from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from staplecfg.model.facts import Attempts, Stored
from staplecfg.model.settings import Floors
from staplecfg.model.staple import CertStatus, Staple
from staplecfg.staples.schedule import Due, NotDue, due, jitter, next_try, renewal_time
from tests.support.authority import Authority
from tests.support.chains import chain_of

if TYPE_CHECKING:
    from staplecfg.model.chain import Chain
    from staplecfg.staples.schedule import Timing

START = datetime(2026, 1, 1, tzinfo=timezone.utc)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
LIFE = 8 * DAY
FLOORS = Floors()
AUTHORITY = Authority.create()
CHAIN = chain_of(AUTHORITY.leaf(["a.example"], responders=["http://o.example/"]))
NOBODY = Attempts(CHAIN.fingerprint)


def staple(**more: Any) -> Staple:
    return replace(
        Staple(
            der=b"",
            fingerprint=CHAIN.fingerprint,
            serial=CHAIN.serial,
            status=CertStatus.GOOD,
            produced_at=START,
            this_update=START,
            next_update=START + LIFE,
            responder_expires=None,
            signer="CN=x",
        ),
        **more,
    )


def asked(
    kept: Staple | None = None,
    *,
    now: datetime,
    attempts: Attempts | None = NOBODY,
    chain: Chain = CHAIN,
) -> Timing:
    return due(Stored(kept), attempts, chain, now, FLOORS)


def test_a_certificate_without_a_staple_is_due_at_once():
    assert isinstance(asked(now=START), Due)
    assert isinstance(asked(now=START, attempts=None), Due)


def test_a_staple_that_was_refused_is_due_at_once_and_says_why():
    assert due(Stored(None, "it is forged"), NOBODY, CHAIN, START, FLOORS) == Due("it is forged")


def test_a_fresh_staple_is_due_at_half_life_or_up_to_a_tenth_of_that_sooner():
    at = renewal_time(staple())

    assert START + 0.9 * LIFE / 2 <= at <= START + LIFE / 2
    assert asked(staple(), now=at - HOUR) == NotDue(at, "the staple is fresh")
    assert isinstance(asked(staple(), now=at), Due)


def test_the_end_of_the_responders_certificate_is_the_end_of_the_staple():
    kept = staple(responder_expires=START + LIFE / 4)

    assert isinstance(asked(kept, now=START + LIFE / 8), Due)


def test_jitter_differs_between_certificates_and_never_for_one():
    values = [jitter(serial) for serial in range(1000)]

    assert values == [jitter(serial) for serial in range(1000)]
    assert all(0 <= value <= 1 for value in values)
    assert min(values) < 0.05
    assert max(values) > 0.95


@pytest.mark.parametrize(
    ("after", "until"),
    [
        pytest.param(LIFE / 2, 3 / 4, id="half-life: at three quarters"),
        pytest.param(LIFE * 3 / 4, 7 / 8, id="three quarters: at seven eighths"),
    ],
)
def test_where_there_was_nothing_newer_it_is_asked_again_later(after, until):
    last = Attempts(CHAIN.fingerprint, last_success=START + after)

    timing = asked(staple(), now=START + after + HOUR, attempts=last)

    assert isinstance(timing, NotDue)
    assert timing.until is not None
    assert START + 0.9 * until * LIFE <= timing.until <= START + until * LIFE
    assert isinstance(asked(staple(), now=timing.until, attempts=last), Due)


def test_after_seven_eighths_it_is_asked_as_often_as_the_floor_allows():
    at = START + LIFE * 15 / 16
    last = Attempts(CHAIN.fingerprint, last_success=at)

    assert asked(staple(), now=at + HOUR / 2, attempts=last) == NotDue(
        at + HOUR, "the responder has nothing newer yet"
    )
    assert isinstance(asked(staple(), now=at + HOUR, attempts=last), Due)


def test_the_floor_does_not_let_a_short_lived_staple_expire_unasked():
    kept = staple(next_update=START + 2 * HOUR)
    last = Attempts(CHAIN.fingerprint, last_success=START + HOUR)

    timing = asked(kept, now=START + 1.1 * HOUR, attempts=last)

    assert isinstance(timing, NotDue)
    assert timing.until is not None
    assert timing.until < kept.expires


def test_what_would_be_withdrawn_is_due_though_it_is_young():
    kept = staple(next_update=START + 2 * HOUR)
    margin = 1.25 * HOUR

    assert isinstance(due(Stored(kept), NOBODY, CHAIN, START + 0.8 * HOUR, FLOORS), NotDue)
    timing = due(Stored(kept), NOBODY, CHAIN, START + 0.8 * HOUR, FLOORS, margin=margin)
    assert timing == Due("the staple ends before the next run could renew it")
    early = due(Stored(kept), NOBODY, CHAIN, START + 0.7 * HOUR, FLOORS, margin=margin)
    assert early == NotDue(START + 0.75 * HOUR, "the staple is fresh")


def test_asked_early_in_vain_it_is_asked_again_at_half_life():
    kept = staple(next_update=START + 2 * HOUR)
    last = Attempts(CHAIN.fingerprint, last_success=START + HOUR / 4)

    timing = due(Stored(kept), last, CHAIN, START + HOUR / 2, FLOORS, margin=2 * HOUR)

    assert isinstance(timing, NotDue)
    assert timing.until is not None
    assert START + 0.9 * HOUR <= timing.until <= START + HOUR


def test_a_margin_longer_than_its_life_does_not_make_it_asked_without_end():
    last = Attempts(CHAIN.fingerprint, last_success=START + HOUR / 60)
    kept = staple(next_update=START + 2 * HOUR)

    timing = due(Stored(kept), last, CHAIN, START + HOUR / 30, FLOORS, margin=9 * HOUR)

    assert isinstance(timing, NotDue)


def test_a_success_in_the_future_is_a_clock_that_was_wrong():
    last = Attempts(CHAIN.fingerprint, last_success=START + 100 * DAY)

    assert isinstance(asked(staple(), now=START + LIFE * 3 / 4, attempts=last), Due)


def test_an_expired_staple_is_due():
    assert asked(staple(), now=START + LIFE) == Due("the staple has expired")


@pytest.mark.parametrize("kept", [None, staple()], ids=["missing", "kept"])
def test_a_failure_is_waited_out(kept):
    now = START + LIFE * 3 / 4
    failed = Attempts(CHAIN.fingerprint, failures=1, not_before=now + HOUR, error="it was dark")

    timing = asked(kept, now=now, attempts=failed)

    assert timing == NotDue(now + HOUR, "the last try failed (it was dark)")
    assert isinstance(asked(kept, now=now + HOUR, attempts=failed), Due)


def test_a_wait_of_centuries_is_not_believed():
    failed = Attempts(CHAIN.fingerprint, failures=1, not_before=START + 36500 * DAY)

    assert isinstance(asked(now=START, attempts=failed), Due)


@pytest.mark.parametrize(
    ("chain", "until"),
    [
        pytest.param(replace(CHAIN, responders=()), None, id="no responder"),
        pytest.param(replace(CHAIN, not_after=START), None, id="expired"),
        pytest.param(replace(CHAIN, not_before=START + DAY), START + DAY, id="not valid yet"),
    ],
)
def test_what_no_responder_can_answer_is_never_asked(chain, until):
    timing = asked(now=START, chain=chain)

    assert isinstance(timing, NotDue)
    assert timing.until == until


def waits(failures: int, *, wish: datetime | None = None, kept: Staple | None = None) -> float:
    at = next_try(failures, CHAIN, now=START, floors=FLOORS, wish=wish, staple=kept)
    return (at - START) / timedelta(minutes=1)


def test_the_wait_doubles_from_failure_to_failure_up_to_the_cap():
    share = waits(1) / 5

    assert 0.9 <= share <= 1
    assert [round(waits(n) / share) for n in (1, 2, 3, 4, 5, 9999)] == [5, 10, 20, 40, 60, 60]


def test_a_responders_wish_is_heard_up_to_a_day():
    assert waits(1, wish=START + 3 * HOUR) == 180
    assert waits(1, wish=START + 30 * DAY) == 24 * 60
    assert waits(5, wish=START + HOUR / 60) > 50


def test_no_wait_takes_more_than_half_of_what_the_staple_has_left():
    kept = staple(next_update=START + HOUR)

    assert waits(9, kept=kept) == 30
    assert waits(9, wish=START + DAY, kept=kept) == 30
    assert waits(9, wish=START + DAY, kept=staple(next_update=START + HOUR / 60)) == 5
