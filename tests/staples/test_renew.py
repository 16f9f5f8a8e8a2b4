from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from staplecfg.model.errors import NotApplied
from staplecfg.model.facts import Attempts
from staplecfg.model.settings import Floors, Responders
from staplecfg.model.verdict import Good, Reason, Rejected, Unreachable
from staplecfg.staples.renew import renew
from staplecfg.staples.schedule import NotDue
from staplecfg.staples.store import Kept, Store
from tests.support.authority import Authority
from tests.support.chains import chain_of
from tests.support.misbehaviour import MODES
from tests.support.responder import Responder, close_at_once, honest, never_answer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from staplecfg.model.chain import Chain
    from staplecfg.staples.renew import Renewal
    from tests.support.responder import Call

NOW = datetime(2026, 1, 15, 12, tzinfo=timezone.utc)
DAY = timedelta(days=1)
AUTHORITY = Authority.create()
SETTINGS = Responders(allow_networks=(ip_network("127.0.0.0/8"),))


@pytest.fixture
def responder():
    with Responder(AUTHORITY, clock=lambda: NOW) as running:
        yield running


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path, floors=Floors())


def chains_at(url: str, count: int = 1) -> list[Chain]:
    return [chain_of(AUTHORITY.leaf([f"{n}.example"], responders=[url])) for n in range(count)]


def renewed(
    chains: Iterable[Chain], store: Store, *, now: datetime = NOW, **more: Any
) -> tuple[Renewal, ...]:
    settings = more.pop("settings", SETTINGS)
    return renew(
        [(chain, False) for chain in chains],
        store,
        clock=lambda: now,
        settings=settings,
        floors=Floors(),
        **more,
    )


def test_a_fresh_staple_is_not_asked_about_again(responder, store):
    chains = chains_at(responder.url)
    renewed(chains, store)

    (again,) = renewed(chains, store)

    assert isinstance(again.outcome, NotDue)
    assert again.stored.staple is not None
    assert len(responder.log) == 1


def test_force_asks_all_the_same_and_the_same_answer_is_a_success(responder, store):
    (chain,) = chains_at(responder.url)
    renewed([chain], store)
    store.record(replace(store.attempts(chain.fingerprint), failures=3, not_before=NOW + DAY))

    (again,) = renewed([chain], store, force=True)

    assert isinstance(again.outcome, Kept)
    assert again.stored.staple is not None
    assert len(responder.log) == 2
    assert store.attempts(chain.fingerprint) == Attempts(
        chain.fingerprint, last_try=NOW, last_success=NOW, url=responder.url
    )


@pytest.mark.parametrize("force", [False, True])
def test_an_expired_certificate_is_never_asked_about(responder, store, force):
    chains = [replace(chain, not_after=NOW) for chain in chains_at(responder.url)]

    (renewal,) = renewed(chains, store, force=force)

    assert renewal.outcome == NotDue(None, "the certificate has expired")
    assert responder.log == []


def test_settings_that_say_not_to_ask_are_heard(responder, store):
    settings = replace(SETTINGS, override={responder.url: ""})

    (renewal,) = renewed(chains_at(responder.url), store, settings=settings, force=True)

    assert renewal.outcome == NotDue(None, "the settings say not to ask")


def test_the_results_are_in_the_order_given_and_each_certificate_is_asked_about_once(
    responder, store
):
    chains = chains_at(responder.url, 5)
    elsewhere = replace(chains[0], path=chains[0].path / "copy")
    told: list[Renewal] = []

    renewals = renewed([*chains, elsewhere], store, progress=told.append)

    assert [renewal.chain for renewal in renewals] == [*chains, elsewhere]
    assert all(isinstance(renewal.outcome, Good) for renewal in renewals)
    assert len(responder.log) == len(told) == 5


def test_an_outage_leaves_the_staple_and_backs_off_and_recovery_clears_the_note(responder, store):
    (chain,) = chains_at(responder.url)
    renewed([chain], store)
    kept = store.path(chain.fingerprint).read_bytes()
    later = NOW + 4 * DAY
    responder.clock = lambda: later

    responder.mode = close_at_once
    (failed,) = renewed([chain], store, now=later)
    (waiting,) = renewed([chain], store, now=later + timedelta(minutes=1))
    responder.mode = honest
    (recovered,) = renewed([chain], store, now=later + timedelta(minutes=6))

    assert isinstance(failed.outcome, Unreachable)
    assert failed.stored.staple is not None
    assert failed.stored.staple.der == kept
    assert isinstance(waiting.outcome, NotDue)
    assert isinstance(recovered.outcome, Good)
    assert store.path(chain.fingerprint).read_bytes() != kept
    assert store.attempts(chain.fingerprint).failures == 0


def test_retry_after_is_noted(responder, store):
    responder.mode = MODES["503 with Retry-After"]
    (chain,) = chains_at(responder.url)

    renewed([chain], store)

    assert store.attempts(chain.fingerprint).not_before == NOW + timedelta(minutes=30)


def test_a_revocation_is_noted_and_nothing_is_stored(responder, store):
    responder.mode = MODES["revoked"]
    (chain,) = chains_at(responder.url)

    (renewal,) = renewed([chain], store)

    assert isinstance(renewal.outcome, Rejected)
    assert renewal.outcome.reason is Reason.REVOKED
    assert store.attempts(chain.fingerprint).revoked_at == NOW - DAY
    assert not store.path(chain.fingerprint).exists()


def test_one_dead_responder_does_not_stop_two_thousand_certificates(store, responder):
    dead_settings = replace(SETTINGS, total=timedelta(seconds=0.2))
    with Responder(AUTHORITY, mode=never_answer) as dead:
        # One certificate in two thousand spellings: what is tested here is not the factory.
        (leaf,) = chains_at(dead.url)
        lost = [replace(leaf, fingerprint=f"{n:064x}") for n in range(2000)]
        alive = chains_at(responder.url, 3)

        renewals = renewed([*lost, *alive], store, settings=dead_settings)

        assert len(dead.log) <= 3, "each of them waited for it"
    assert all(isinstance(renewal.outcome, Unreachable) for renewal in renewals[:2000])
    assert all(isinstance(renewal.outcome, Good) for renewal in renewals[2000:])
    assert store.attempts(lost[-1].fingerprint).failures == 1


def test_a_host_is_asked_one_thing_at_a_time(store):
    busy: Counter[int] = Counter()
    most: Counter[int] = Counter()

    def slowly(call: Call) -> object:
        port = call.responder.port
        busy[port] += 1
        most[port] = max(most[port], busy[port])
        call.wait(0.2)
        busy[port] -= 1  # before the answer, which lets the next one come
        return honest(call)

    with (
        Responder(AUTHORITY, mode=slowly, clock=lambda: NOW) as one,
        Responder(AUTHORITY, mode=slowly, clock=lambda: NOW) as other,
    ):
        renewals = renewed([*chains_at(one.url, 2), *chains_at(other.url, 2)], store)
        ports = {one.port, other.port}

    assert all(isinstance(renewal.outcome, Good) for renewal in renewals)
    assert most == dict.fromkeys(ports, 1)


def test_what_had_arrived_before_an_interrupt_is_stored(responder, store):
    chains = chains_at(responder.url, 50)
    told: list[Renewal] = []

    def interrupt(renewal: Renewal) -> None:
        told.append(renewal)
        if len(told) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        renewed(chains, store, progress=interrupt)

    assert len(told) == 2
    for renewal in told:
        assert store.load(renewal.chain, NOW).staple is not None
    assert len(list(store.path("x").parent.glob("*.der"))) == 2


def test_a_missing_issuer_is_fetched_and_remembered(store, responder):
    issuer = AUTHORITY.intermediate.cert
    body = issuer.public_bytes(Encoding.DER)
    with Responder(AUTHORITY, mode=lambda call: call.reply(body, kind=None)) as host:
        issued = AUTHORITY.leaf(["a.example"], responders=[responder.url], ca_issuers=[host.url])
        orphan = chain_of(type(issued)(issued.cert, issued.key))
        assert orphan.issuer is None

        (renewal,) = renewed([orphan], store)
        (again,) = renewed([orphan], store)

        assert len(host.log) == 1
    assert isinstance(renewal.outcome, Good)
    assert renewal.chain.issuer == again.chain.issuer == issuer
    assert isinstance(again.outcome, NotDue)


def test_a_missing_issuer_that_cannot_be_had_is_a_failure_like_any_other(store, responder):
    issued = AUTHORITY.leaf(
        ["a.example"], responders=[responder.url], ca_issuers=["https://o.example/"]
    )
    orphan = chain_of(type(issued)(issued.cert, issued.key))

    (renewal,) = renewed([orphan], store)

    assert isinstance(renewal.outcome, Unreachable)
    assert "its issuer could not be had" in renewal.outcome.problem
    assert store.attempts(orphan.fingerprint).failures == 1
    assert responder.log == []


def test_a_store_that_cannot_be_written_is_not_passed_over(responder, tmp_path):
    (tmp_path / "store").write_bytes(b"a file where the directory should be")

    with pytest.raises(NotApplied):
        renewed(chains_at(responder.url), Store(tmp_path, floors=Floors()))


def test_what_was_good_before_it_was_revoked_takes_nothing_back(responder, store):
    (chain,) = chains_at(responder.url)
    revoking = {"status": "revoked", "revoked_at": NOW - DAY, "this_update": NOW}
    responder.mode = lambda call: call.reply(call.respond(**revoking))
    renewed([chain], store)

    responder.mode = lambda call: call.reply(call.respond(this_update=NOW - timedelta(hours=2)))
    (cached,) = renewed([chain], store, force=True)

    assert isinstance(cached.outcome, Rejected)
    assert cached.outcome.reason is Reason.REVOKED
    assert cached.stored.staple is None
    assert store.attempts(chain.fingerprint).revoked_at == NOW - DAY

    # A certificate on hold can be released (RFC 5280, 5.3.1), and the newer answer says so.
    responder.mode = lambda call: call.reply(call.respond(this_update=NOW + timedelta(seconds=1)))
    (released,) = renewed([chain], store, now=NOW + timedelta(minutes=1), force=True)

    assert isinstance(released.outcome, Good)
    assert store.attempts(chain.fingerprint).revoked_at is None
