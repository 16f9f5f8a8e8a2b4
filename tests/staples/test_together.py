"""One response about several certificates: asked for once, stored under each, never mixed up."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any

import pytest

from staplecfg.model.settings import Floors, Responders
from staplecfg.model.verdict import Good, Reason, Rejected, Unreachable
from staplecfg.pki.asked import asked
from staplecfg.staples.answer import request_in
from staplecfg.staples.renew import renew
from staplecfg.staples.schedule import NotDue
from staplecfg.staples.store import Kept, Store
from tests.support.authority import Authority
from tests.support.chains import chain_of
from tests.support.responder import Responder, close_at_once, error, honest, try_later

if TYPE_CHECKING:
    from collections.abc import Callable

    from staplecfg.model.chain import Chain
    from staplecfg.staples.renew import Renewal
    from tests.support.authority import Issued
    from tests.support.responder import Call, Mode

NOW = datetime(2026, 1, 15, 12, tzinfo=timezone.utc)
DAY = timedelta(days=1)
AUTHORITY = Authority.create()
SETTINGS = Responders(allow_networks=(ip_network("127.0.0.0/8"),))


class Both:
    """A responder of an RSA and an ECDSA certificate, and the store of who asks it."""

    def __init__(self, responder: Responder, store: Store) -> None:
        self.responder = responder
        self.store = store
        self.now = NOW
        self.issued = [
            AUTHORITY.leaf(["a.example"], responders=[responder.url], key=key)
            for key in ("rsa", "ec")
        ]
        self.chains = [chain_of(one) for one in self.issued]

    def renewed(self, about: list[Chain] | None = None, **more: Any) -> tuple[Renewal, ...]:
        chains = about or self.chains
        return renew(
            [(chain, False) for chain in chains],
            self.store,
            clock=lambda: self.now,
            settings=SETTINGS,
            floors=Floors(),
            together=[chains],
            **more,
        )

    def stored(self) -> list[bytes]:
        return [self.store.path(chain.fingerprint).read_bytes() for chain in self.chains]

    def answering(self, **lies: Any) -> Callable[[Call], object]:
        """Return the mode of a responder that answers whatever is asked; `lies` about the first."""
        issued = {one.cert.serial_number: one for one in self.issued}

        def mode(call: Call) -> object:
            der = call.request.body or request_in(call.request.target.encode())
            first, *others = (issued[certid.serial] for certid in asked(der))
            also = [AUTHORITY.single(other, now=self.now) for other in others]
            about_rsa = lies if first is self.issued[0] else {}
            return call.reply(AUTHORITY.respond(first, now=self.now, also=also, **about_rsa))

        return mode


@pytest.fixture
def both(tmp_path):
    with Responder(AUTHORITY, clock=lambda: NOW) as responder:
        made = Both(responder, Store(tmp_path, floors=Floors()))
        responder.mode = made.answering()
        yield made


def test_one_request_one_response_under_both(both):
    renewals = both.renewed()

    assert [type(each.outcome) for each in renewals] == [Good, Good]
    assert [each.stored.staple.fingerprint for each in renewals] == [
        chain.fingerprint for chain in both.chains
    ]
    assert len(both.responder.log) == 1
    first, second = both.stored()
    assert first == second
    assert all(isinstance(each.outcome, NotDue) for each in both.renewed())
    assert len(both.responder.log) == 1


def test_one_falling_due_takes_the_other_along(both):
    both.renewed()
    before = both.stored()
    both.now = NOW + 4 * DAY

    both.renewed()

    assert len(both.responder.log) == 2
    first, second = both.stored()
    assert first == second != before[0]


def test_two_that_were_had_apart_are_asked_about_together(both):
    both.responder.mode = honest
    both.renewed()
    both.responder.mode = both.answering()
    assert len(set(both.stored())) == 2
    both.now = NOW + DAY + timedelta(hours=1)

    renewals = both.renewed()

    assert [type(each.outcome) for each in renewals] == [Good, Good]
    assert len(set(both.stored())) == 1


def test_a_responder_that_knows_only_single_questions_answers_each_and_is_left_in_peace(both):
    both.responder.mode = honest

    renewals = both.renewed()

    assert [type(each.outcome) for each in renewals] == [Good, Good]
    assert len(set(both.stored())) == 2
    assert all(both.store.attempts(c.fingerprint).alone_at == NOW for c in both.chains)
    asked_so_far = len(both.responder.log)
    both.now = NOW + timedelta(hours=23)
    both.renewed()
    assert len(both.responder.log) == asked_so_far


MINUTE = timedelta(minutes=1)


def only_to_several(both: Both, mode: Mode) -> Mode:
    """Return the mode of a responder that does `mode` where it is asked about several at once."""
    answering = both.answering()

    def answer(call: Call) -> object:
        several = len(asked(call.request.body or request_in(call.request.target.encode()))) > 1
        return (mode if several else answering)(call)

    return answer


PASSING = [
    pytest.param(try_later, id="tryLater"),
    pytest.param(lambda call: call.reply(error(2)), id="internalError"),
    pytest.param(lambda call: call.reply(error(99)), id="an error nobody knows"),
]


@pytest.mark.parametrize("mode", PASSING)
def test_a_bad_moment_of_the_question_about_all_is_not_an_answer_for_each_alone(both, mode):
    both.responder.mode = only_to_several(both, mode)
    renewals = both.renewed()
    assert [type(each.outcome) for each in renewals] == [Good, Good]
    assert [both.store.attempts(c.fingerprint).alone_at for c in both.chains] == [None, None]
    both.responder.mode = both.answering()
    both.now = NOW + MINUTE

    renewals = both.renewed()

    assert [type(each.outcome) for each in renewals] == [Good, Good]
    assert len(set(both.stored())) == 1


@pytest.mark.parametrize("mode", [*PASSING, pytest.param(close_at_once, id="hung up")])
def test_it_is_asked_again_as_after_any_failure_and_nobody_twice_about_what_is_fresh(both, mode):
    both.responder.mode = honest
    both.renewed()
    both.now = NOW + DAY + timedelta(hours=1)
    both.responder.mode = only_to_several(both, mode)
    before, so_far = both.stored(), len(both.responder.log)

    both.renewed()

    about = [request.target for request in both.responder.log[so_far:]]
    assert about, "nobody was asked about both"
    assert both.stored() == before
    tries = [both.store.attempts(chain.fingerprint) for chain in both.chains]
    assert [each.failures for each in tries] == [1, 1]
    so_far = len(both.responder.log)
    both.renewed()
    assert len(both.responder.log) == so_far, "not while the failure is waited out"
    both.responder.mode = both.answering()
    both.now = max(each.not_before for each in tries)
    both.renewed()
    assert len(set(both.stored())) == 1


@pytest.mark.parametrize("mode", PASSING)
def test_a_common_response_past_its_half_is_asked_for_again_soon_after_a_bad_moment(both, mode):
    both.renewed()
    before = both.stored()
    both.now = NOW + 4 * DAY
    both.responder.mode = only_to_several(both, mode)

    renewals = both.renewed()

    assert [type(each.outcome) for each in renewals] == [Rejected, Rejected]
    assert "asked about all at once" in renewals[0].outcome.problem
    assert both.stored() == before
    both.responder.mode = both.answering()
    both.now += timedelta(hours=1, minutes=1)
    both.renewed()
    assert both.stored() != before
    assert len(set(both.stored())) == 1


def test_one_response_found_under_any_of_them_is_common_to_all(both):
    both.renewed()
    kept = both.stored()
    newcomer = AUTHORITY.leaf(["a.example"], responders=[both.responder.url], key="rsa")
    ahead = [chain_of(newcomer), both.chains[1]]
    both.issued.append(newcomer)
    both.responder.mode = both.answering()
    both.now = NOW + MINUTE
    both.renewed(about=ahead, force=True)
    assert both.stored()[0] == kept[0]
    assert both.stored()[1] != kept[1], "the one that stays has an answer about its new neighbour"
    both.responder.mode = close_at_once
    so_far = len(both.responder.log)

    for pair in (both.chains, ahead):
        renewals = both.renewed(about=pair)
        assert all(isinstance(each.outcome, NotDue) for each in renewals)

    assert len(both.responder.log) == so_far


def test_a_common_response_is_not_given_up_for_two_single_ones(both):
    both.renewed()
    before = both.stored()
    both.responder.mode = honest
    both.now = NOW + 4 * DAY

    renewals = both.renewed()

    assert [type(each.outcome) for each in renewals] == [Kept, Kept]
    assert both.stored() == before


def test_once_it_has_expired_each_gets_what_there_is(both):
    both.renewed()
    both.responder.mode = honest
    both.responder.clock = lambda: both.now
    both.now = NOW + 8 * DAY

    renewals = both.renewed()

    assert [type(each.outcome) for each in renewals] == [Good, Good]
    assert len(set(both.stored())) == 2


@pytest.mark.parametrize("status", ["revoked", "unknown"])
def test_one_that_is_not_good_is_told_by_name_and_both_keep_what_they_have(both, status):
    both.renewed()
    before = both.stored()
    both.now = NOW + 4 * DAY
    both.responder.mode = both.answering(status=status)

    rsa, ec = both.renewed()

    assert isinstance(rsa.outcome, Rejected)
    assert rsa.outcome.reason is Reason(status)
    assert isinstance(ec.outcome, Kept)
    assert both.stored() == before
    noted = [both.store.attempts(chain.fingerprint).revoked_at for chain in both.chains]
    assert [at is not None for at in noted] == [status == "revoked", False]


def test_a_responder_that_is_down_is_a_failure_of_both(both):
    both.responder.mode = close_at_once

    renewals = both.renewed()

    assert [type(each.outcome) for each in renewals] == [Unreachable, Unreachable]
    assert [both.store.attempts(chain.fingerprint).failures for chain in both.chains] == [1, 1]


def test_without_a_responder_in_common_each_is_asked_about_by_itself(both):
    both.responder.mode = honest
    far = AUTHORITY.leaf(["a.example"], responders=["http://127.0.0.1:1/"])

    near, away = both.renewed([both.chains[0], chain_of(far)])

    assert isinstance(near.outcome, Good)
    assert isinstance(away.outcome, Unreachable)
    assert "refused" in away.outcome.problem


def test_a_chain_without_its_issuer_is_asked_about_by_itself(both):
    orphan: Issued = both.issued[0]
    bare: Chain = chain_of(type(orphan)(orphan.cert, orphan.key))
    both.chains[0] = bare

    rsa, ec = both.renewed()

    assert isinstance(rsa.outcome, Unreachable)
    assert isinstance(ec.outcome, Good)
