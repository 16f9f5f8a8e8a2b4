"""Which staples need a person, and how often that is said."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from staplecfg.model.facts import Attempts, Stored
from staplecfg.model.looks import Looks
from staplecfg.model.plan import Decision, Goal
from staplecfg.model.settings import Responders, Settings
from staplecfg.planning.attention import SAID_AGAIN, Condition, InUse, in_use, news
from staplecfg.planning.status import status
from staplecfg.servers.nginx.server import NGINX
from tests.support.facts import (
    AUTHORITY,
    DAY,
    NOW,
    PLAIN,
    SHOP,
    SHOP_PEM,
    STRICT,
    http,
    server,
    staple,
)
from tests.support.planned import WARM, carried_out, machine, plan, with_files

if TYPE_CHECKING:
    from tests.support.authority import Issued

HOUR = timedelta(hours=1)
OFTEN = Looks(timedelta(minutes=6))
MUTE = Settings(responders=Responders(override={"http://ocsp.example/": ""}))


def seen(
    issued: Issued = SHOP,
    held: Stored | None = None,
    attempts: Attempts | None = None,
    settings: Settings | None = None,
) -> InUse:
    """A machine on which `issued` has come in the place of a certificate that was configured."""
    known = Settings(looks=settings.looks if settings else Looks())
    configured = carried_out(machine(http(server()), {SHOP_PEM: SHOP}, settings=known))
    facts = replace(
        with_files(configured, {SHOP_PEM: issued}),
        stored={} if held is None else {issued.sha256: held},
        attempts={} if attempts is None else {issued.sha256: attempts},
        settings=settings or configured.settings,
    )
    (found,) = in_use(plan(facts, Goal.STATE_ONLY).sites, facts)
    return found


def held(since: timedelta, until: timedelta, issued: Issued = SHOP) -> Stored:
    return Stored(staple(issued, age=since, life=since + until))


REVOKED = Attempts(SHOP.sha256, revoked_at=NOW - DAY)


@pytest.mark.parametrize(
    ("found", "condition", "needs"),
    [
        pytest.param(lambda: seen(held=held(DAY, 6 * DAY)), Condition.FRESH, None, id="fresh"),
        pytest.param(lambda: seen(held=held(4 * DAY, 3 * DAY)), Condition.DUE, None, id="due"),
        pytest.param(
            lambda: seen(held=held(6 * DAY, DAY)), Condition.EXPIRING, "not renewed", id="expiring"
        ),
        pytest.param(
            lambda: seen(held=held(7 * DAY, -DAY)), Condition.EXPIRED, "withdrawn", id="expired"
        ),
        pytest.param(
            lambda: seen(held=held(7 * DAY - HOUR, HOUR)),
            Condition.EXPIRED,
            "was not renewed: withdrawn, for the next run may come after that",
            id="not expired, and withdrawn",
        ),
        pytest.param(
            lambda: seen(held=held(HOUR / 6, HOUR / 2)),
            Condition.EXPIRED,
            "is not served; for staples that live so short, set `schedule.interval`",
            id="shorter-lived than the schedule's interval",
        ),
        pytest.param(
            lambda: seen(held=held(HOUR / 6, HOUR / 2), settings=Settings(looks=OFTEN)),
            Condition.FRESH,
            None,
            id="short-lived, and looked after often",
        ),
        pytest.param(seen, Condition.MISSING, "no staple", id="missing"),
        pytest.param(
            lambda: seen(held=Stored(None, "x.der: rotten")),
            Condition.MISSING,
            "x.der: rotten",
            id="one in the store that is no good",
        ),
        pytest.param(
            lambda: seen(held=held(DAY, 6 * DAY), attempts=REVOKED),
            Condition.REVOKED,
            "its last good staple is served until 2026-01-28 12:00 UTC",
            id="revoked, the last good one lives",
        ),
        pytest.param(
            lambda: seen(held=held(8 * DAY, -DAY), attempts=REVOKED),
            Condition.REVOKED,
            "revoked at 2026-01-21 12:00 UTC: replace the certificate and its key",
            id="revoked, and that one has ended",
        ),
        pytest.param(lambda: seen(PLAIN), Condition.UNANSWERED, None, id="no responder"),
        pytest.param(lambda: seen(settings=MUTE), Condition.UNANSWERED, None, id="told not to ask"),
        pytest.param(
            lambda: seen(STRICT), Condition.MISSING, "no staple", id="must-staple without one"
        ),
    ],
)
def test_the_condition_of_a_staple_says_whether_a_person_is_needed(found, condition, needs):
    each = found()

    assert each.condition is condition
    assert [site.title for site in each.sites] == ["shop.example"]
    assert (each.problem is None) if needs is None else (needs in (each.problem or ""))
    if "last good staple" not in (needs or ""):
        assert "is served until" not in (each.problem or "")


@pytest.mark.parametrize(
    ("told", "ago", "again"),
    [
        pytest.param(None, None, True, id="never said"),
        pytest.param("missing", timedelta(hours=1), False, id="said an hour ago"),
        pytest.param("missing", SAID_AGAIN, True, id="said a day ago"),
        pytest.param("revoked", timedelta(hours=1), True, id="said of something else"),
        pytest.param("missing", -DAY, True, id="said in the future, the clock was wrong"),
        pytest.param("missing", None, True, id="said nobody knows when"),
    ],
)
def test_the_same_is_said_once_a_day(told, ago, again):
    at = None if ago is None else NOW - ago
    each = seen(attempts=Attempts(SHOP.sha256, told=told, told_at=at))

    assert news(each, NOW) is again


def test_what_needs_nobody_is_never_news():
    assert not news(seen(held=held(DAY, 6 * DAY)), NOW)


def test_a_certificate_of_many_sites_is_one_certificate():
    two = http(server(name="a.example"), server(name="b.example"))
    facts = carried_out(machine(two, {SHOP_PEM: SHOP}))

    found = status(facts, NGINX, warm_command=WARM)

    (each,) = found.used
    assert [site.title for site in each.sites] == ["a.example", "b.example"]
    assert found.needing == (each,)


def test_sites_that_are_not_ours_are_nobodys_business():
    assert status(machine(http(server()), {SHOP_PEM: SHOP}), NGINX, warm_command=WARM).used == ()


def test_where_nginx_fetches_by_itself_what_it_has_is_its_own_affair():
    live = replace(Settings(), delivery="live")
    roots = [AUTHORITY.root.cert]
    facts = carried_out(machine(http(server()), {SHOP_PEM: SHOP}, settings=live, roots=roots))
    made = plan(facts, Goal.STATE_ONLY)
    assert [each.decision for each in made.sites] == [Decision.CONFIGURED]

    assert in_use(made.sites, facts) == ()


def test_what_is_served_by_a_responder_of_ours_is_served_to_its_end():
    asked = replace(Settings(), delivery="responder")
    facts = carried_out(machine(http(server()), {SHOP_PEM: SHOP}, settings=asked))
    late = replace(facts, stored={SHOP.sha256: held(HOUR, HOUR)})

    (each,) = in_use(plan(late, Goal.STATE_ONLY).sites, late)

    assert each.condition is Condition.DUE


def test_a_staple_that_is_not_put_to_use_yet_is_pending():
    facts = carried_out(machine(http(server()), {SHOP_PEM: SHOP}))
    assert status(facts, NGINX, warm_command=WARM).pending == 0

    renewed = replace(facts, stored={SHOP.sha256: held(DAY, 6 * DAY)})

    assert status(renewed, NGINX, warm_command=WARM).pending == 2
