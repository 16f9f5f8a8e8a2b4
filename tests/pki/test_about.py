from __future__ import annotations

from datetime import datetime, timezone

import pytest

from staplecfg.model.staple import CertStatus
from staplecfg.pki.about import about
from tests.support import asn1
from tests.support.authority import HOUR, WEEK, Authority

NOW = datetime(2026, 1, 15, 12, 0, tzinfo=timezone.utc)
HONEST = Authority.create()
SHOP = HONEST.leaf(["shop.example"])


def test_a_response_is_shown_whole():
    der = HONEST.respond(
        SHOP,
        now=NOW,
        status="revoked",
        revocation_reason=1,
        signer=HONEST.delegate(),
        by="name",
        single_extensions=[asn1.extension("1.2.3", b"")],
        extensions=[asn1.extension("1.2.4", b"", critical=True)],
    )

    shown = about(der)

    assert (shown.response_status, shown.version, shown.problem) == ("successful", 1, None)
    assert shown.responder == "CN=Responder"
    assert shown.certificates == ("CN=Responder",)
    assert shown.signature_algorithm == "ECDSA with SHA-256"
    assert shown.produced_at == NOW - HOUR
    assert shown.extensions == ("1.2.4 critical",)
    (answer,) = shown.answers
    assert (answer.serial, answer.status) == (SHOP.cert.serial_number, CertStatus.REVOKED)
    assert answer.hash_algorithm == "SHA-1"
    assert (answer.this_update, answer.next_update) == (NOW - HOUR, NOW + WEEK)
    assert (answer.revoked_at, answer.revocation_reason) == (NOW - HOUR, "keyCompromise")
    assert answer.extensions == ("1.2.3",)


def test_a_responder_is_shown_by_its_key_where_it_is_named_by_it():
    shown = about(HONEST.respond(SHOP, now=NOW))

    assert shown.responder == shown.answers[0].issuer_key_hash


def test_a_time_that_is_none_is_shown_as_written():
    (answer,) = about(HONEST.respond(SHOP, now=NOW, next_update=b"20260122110000.5Z")).answers

    assert answer.next_update is None
    assert answer.odd_times == ("20260122110000.5Z",)


@pytest.mark.parametrize(
    ("der", "status", "problem"),
    [
        (HONEST.respond(SHOP, now=NOW, response_status=3), "tryLater", None),
        (HONEST.respond(SHOP, now=NOW, response_status=9), "status 9", None),
        (HONEST.respond(SHOP, now=NOW, kind="1.2.3"), "successful", "type 1.2.3"),
        (b"<html>", None, "cut short"),
        (b"", None, "cut short"),
    ],
)
def test_what_is_no_answer_is_shown_as_far_as_it_goes(der, status, problem):
    shown = about(der)

    assert shown.response_status == status
    assert (shown.problem is None) == (problem is None)
    assert (problem or "") in (shown.problem or "")


@pytest.mark.parametrize("said", [{"version": 1}, {"digest": "md5"}, {"forge": True}])
def test_a_lie_is_shown_all_the_same(said):
    assert about(HONEST.respond(SHOP, now=NOW, **said)).answers
