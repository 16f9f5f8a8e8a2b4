from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from staplecfg.model.staple import CertStatus, Freshness
from staplecfg.model.verdict import Good
from staplecfg.pki.judge import Purpose, judge
from tests.support import asn1
from tests.support.authority import HOUR, WEEK, Authority, issue

if TYPE_CHECKING:
    from staplecfg.model.staple import Staple
    from tests.support.authority import Issued

NOW = datetime(2026, 1, 15, 12, 0, tzinfo=timezone.utc)
DAY = timedelta(days=1)
SCT_LIST = "1.3.6.1.4.1.11129.2.4.5"
NONCE = "1.3.6.1.5.5.7.48.1.2"

HONEST = Authority.create()
RSA = Authority.create("Ronald", key="rsa")
P384 = Authority.create("Elliptic", key="ec384")
EDWARDS = Authority.create("Edwards", key="ed25519")
SHOP = HONEST.leaf(["shop.example"])


def good(der: bytes, issued: Issued = SHOP, **terms: Any) -> Staple:
    verdict = judge(der, issued.cert, issued.issuer_cert, now=NOW, **terms)

    assert isinstance(verdict, Good), verdict
    assert verdict.staple.der == der
    return verdict.staple


@pytest.mark.parametrize(
    "said",
    [
        pytest.param({}, id="signed by the issuer and named by its key"),
        pytest.param({"by": "name"}, id="signed by the issuer and named by its name"),
        pytest.param({"certificates": [HONEST.intermediate]}, id="with the issuer embedded"),
        pytest.param({"certificates": [HONEST.root, SHOP]}, id="with strangers embedded"),
        pytest.param({"signer": HONEST.delegate()}, id="signed by a delegate"),
        pytest.param({"signer": HONEST.delegate(), "by": "name"}, id="by a delegate, by name"),
        pytest.param({"signer": HONEST.delegate(nocheck=False)}, id="by a delegate to be checked"),
        pytest.param({"signer": HONEST.delegate(key="rsa")}, id="by an RSA delegate"),
        pytest.param({"signer": HONEST.delegate(key="rsa"), "pss": True}, id="by RSA-PSS"),
        pytest.param({"signer": HONEST.delegate(key="ed25519")}, id="by an Ed25519 delegate"),
        pytest.param({"signer": HONEST.delegate(digital_signature=None)}, id="without keyUsage"),
        pytest.param(
            {
                "signer": HONEST.delegate(),
                "by": "name",
                "certificates": [HONEST.delegate(key="ec384"), HONEST.delegate()],
            },
            id="by the second delegate of the name",
        ),
        pytest.param({"signed_with": "sha384"}, id="with SHA-384"),
        pytest.param({"signed_with": "sha512"}, id="with SHA-512"),
        pytest.param({"digest": "sha256"}, id="about a SHA-256 CertID"),
        pytest.param({"digest": "sha384"}, id="about a SHA-384 CertID"),
        pytest.param({"also": [HONEST.single(HONEST.leaf(), now=NOW)]}, id="first of two"),
        pytest.param({"before": [HONEST.single(HONEST.leaf(), now=NOW)]}, id="second of two"),
        pytest.param(
            {"also": [HONEST.single(HONEST.leaf(), now=NOW, status="revoked")]},
            id="beside one revoked",
        ),
        pytest.param({"also": [HONEST.single(SHOP, now=NOW, digest="sha256")]}, id="said twice"),
        pytest.param({"extensions": [asn1.extension(NONCE, b"\x04\x01x")]}, id="with a nonce"),
        pytest.param(
            {"single_extensions": [asn1.extension(SCT_LIST, b"\x04\x00", critical=True)]},
            id="with a critical SCT list",
        ),
        pytest.param({"single_extensions": [asn1.extension("1.2.3", b"")]}, id="with an unknown"),
        pytest.param(
            {"this_update": NOW + 4 * timedelta(minutes=1)}, id="by a clock ahead of ours"
        ),
        pytest.param({"next_update": HOUR}, id="with an hour left"),
        pytest.param(
            {"this_update": NOW - 9 * HOUR / 10, "next_update": HOUR / 10},
            id="with a tenth of an hour left",
        ),
    ],
)
def test_what_a_client_accepts_is_good(said):
    staple = good(HONEST.respond(SHOP, now=NOW, **said))

    assert staple.status is CertStatus.GOOD
    assert (staple.serial, staple.fingerprint) == (SHOP.cert.serial_number, SHOP.sha256)


@pytest.mark.parametrize(
    "authority",
    [
        pytest.param(RSA, id="RSA"),
        pytest.param(P384, id="P-384"),
        pytest.param(EDWARDS, id="Ed25519"),
    ],
)
def test_every_kind_of_issuer_key_is_good(authority):
    leaf = authority.leaf()

    good(authority.respond(leaf, now=NOW), leaf)


def test_the_times_and_the_signer_are_those_of_the_response():
    staple = good(HONEST.respond(SHOP, now=NOW, produced_at=NOW - HOUR / 2))

    assert (staple.this_update, staple.next_update) == (NOW - HOUR, NOW + WEEK)
    assert staple.produced_at == NOW - HOUR / 2
    assert staple.signer == "CN=Honest Intermediate"
    assert staple.responder_expires is None
    assert staple.warnings == ()


def test_the_end_of_the_delegate_ends_the_staple():
    delegate = HONEST.delegate(not_after=NOW + DAY)

    staple = good(HONEST.respond(SHOP, now=NOW, signer=delegate))

    assert staple.responder_expires == staple.expires == NOW + DAY
    assert staple.signer == "CN=Responder"


def test_of_two_good_answers_the_first_to_end_counts():
    brief = replace(HONEST.single(SHOP, now=NOW, digest="sha256"), next_update=NOW + DAY)

    staple = good(HONEST.respond(SHOP, now=NOW, also=[brief]))

    assert staple.next_update == NOW + DAY


@pytest.mark.parametrize(
    ("said", "word"),
    [
        pytest.param({"digest": "sha256"}, "SHA-1 hash", id="no SHA-1 CertID"),
        pytest.param({"next_update": 30 * DAY}, "valid for", id="a long interval"),
        pytest.param({"next_update": HOUR}, "valid for", id="a short interval"),
        pytest.param(
            {"also": [HONEST.single(HONEST.leaf(), now=NOW)]}, "HAProxy", id="two answers"
        ),
        pytest.param(
            {"extensions": [asn1.extension("1.2.3", bytes(11_000))]}, "mod_ssl", id="a long one"
        ),
        pytest.param(
            {"signer": HONEST.delegate(purpose="ocsp+server")}, "usages", id="a busy delegate"
        ),
        pytest.param({"signer": HONEST.delegate(ca=True)}, "authority", id="a CA as delegate"),
        pytest.param(
            {"signer": HONEST.delegate(digital_signature=False)}, "keyUsage", id="wrong keyUsage"
        ),
    ],
)
def test_what_is_odd_is_good_with_a_warning(said, word):
    (warning,) = good(HONEST.respond(SHOP, now=NOW, **said)).warnings

    assert word in warning


def test_an_answer_that_outlives_its_certificate_is_good_with_a_warning():
    leaf = HONEST.leaf(not_after=NOW + DAY)

    (warning,) = good(HONEST.respond(leaf, now=NOW), leaf).warnings

    assert "beyond the certificate" in warning


def test_sha1_signatures_are_good_only_for_who_allows_them():
    delegate = RSA.delegate(key="rsa", digest="sha1")
    leaf = RSA.leaf()

    (warning,) = good(
        RSA.respond(leaf, now=NOW, signer=delegate, signed_with="sha1"), leaf, allow_sha1=True
    ).warnings

    assert "SHA-1" in warning


@pytest.mark.parametrize("digest", ["sha1", "sha256"])
def test_how_the_certificate_itself_was_signed_is_no_matter(digest):
    leaf = RSA.leaf(digest=digest)

    good(RSA.respond(leaf, now=NOW), leaf)


def test_the_cross_signed_twin_of_the_issuer_is_the_issuer():
    twin = Authority.create("Other").cross_sign(HONEST.intermediate)

    verdict = judge(HONEST.respond(SHOP, now=NOW), SHOP.cert, twin.cert, now=NOW)

    assert isinstance(verdict, Good)


def test_the_issuer_is_the_issuer_in_whatever_case_its_name_is_written():
    loud = issue("HONEST  intermediate", HONEST.intermediate.key, None)

    good(HONEST.respond(SHOP, now=NOW, by="name", responder=loud))


@pytest.mark.parametrize(
    "signer",
    [
        pytest.param(None, id="by the issuer"),
        pytest.param(HONEST.delegate(not_after=NOW - DAY), id="by a delegate since expired"),
    ],
)
def test_an_expired_response_of_ours_is_good_apart_from_its_age(signer):
    der = HONEST.respond(SHOP, now=NOW - 30 * DAY, signer=signer)

    staple = good(der, purpose=Purpose.KEPT)

    assert staple.freshness(NOW) is Freshness.EXPIRED


def test_a_current_response_of_ours_is_expired_once_its_delegate_is():
    delegate = HONEST.delegate(not_after=NOW - HOUR)
    der = HONEST.respond(SHOP, now=NOW - DAY, signer=delegate)

    staple = good(der, purpose=Purpose.KEPT)

    assert staple.next_update > NOW
    assert staple.freshness(NOW) is Freshness.EXPIRED


def test_what_a_server_hands_out_may_be_in_its_last_minute():
    good(
        HONEST.respond(SHOP, now=NOW, this_update=NOW - WEEK, next_update=timedelta(minutes=1)),
        purpose=Purpose.SERVED,
    )


@pytest.mark.parametrize("younger", [timedelta(), HOUR])
def test_an_answer_as_new_as_the_one_in_place_is_good(younger):
    present = good(HONEST.respond(SHOP, now=NOW))

    good(HONEST.respond(SHOP, now=NOW, this_update=NOW - HOUR + younger), replaces=present)


def test_a_staple_of_another_certificate_is_no_measure():
    other = HONEST.leaf()
    present = good(HONEST.respond(other, now=NOW), other)

    good(HONEST.respond(SHOP, now=NOW, this_update=NOW - DAY), replaces=present)
