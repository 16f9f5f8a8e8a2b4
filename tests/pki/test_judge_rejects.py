from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from staplecfg.model.settings import Floors
from staplecfg.model.verdict import Good, Reason, Rejected
from staplecfg.pki.judge import Purpose, judge
from tests.support import asn1, responses
from tests.support.authority import HOUR, WEEK, Authority, issue, pem

if TYPE_CHECKING:
    from tests.support.authority import Issued

NOW = datetime(2026, 1, 15, 12, 0, tzinfo=timezone.utc)
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
NONCE = "1.3.6.1.5.5.7.48.1.2"

HONEST = Authority.create()
NAMESAKE = Authority.create(keys="stolen")
STRANGER = Authority.create("Stranger")
RSA = Authority.create("Ronald", key="rsa")
WEAK = Authority.create("Weak", key="rsa1024")
ALIAS = issue("Another Name", HONEST.intermediate.key, HONEST.root, ca=True)
SHOP = HONEST.leaf(["shop.example"])
RSA_SHOP = RSA.leaf(["rsa.example"])
GOOD = HONEST.respond(SHOP, now=NOW)


def lie(**said: Any) -> bytes:
    return HONEST.respond(SHOP, now=NOW, **said)


def rejected(
    der: bytes, issued: Issued = SHOP, issuer: Issued | None = None, **terms: Any
) -> Rejected:
    above = issuer.cert if issuer else issued.issuer_cert
    verdict = judge(der, issued.cert, above, now=NOW, **terms)

    assert isinstance(verdict, Rejected), verdict
    return verdict


def flipped(der: bytes, at: int) -> bytes:
    return der[:at] + bytes([der[at] ^ 1]) + der[at + 1 :]


def two_faced(issued: Issued) -> Issued:
    """Name another algorithm inside the signed part than outside."""
    claimed, _ = responses.sign(HONEST.intermediate.key, b"", "sha384", pss=False)
    inner = asn1.parts(issued.cert.tbs_certificate_bytes)
    tbs = asn1.sequence(*inner[:2], claimed, *inner[3:])
    algorithm, signature = responses.sign(HONEST.intermediate.key, tbs, "sha256", pss=False)
    octets = asn1.sequence(tbs, algorithm, asn1.bits(signature))
    return replace(issued, cert=x509.load_der_x509_certificate(octets))


SHAPES = [
    pytest.param(b"", 1, id="empty"),
    pytest.param(b"<html>503</html>", 1, id="a web page"),
    pytest.param(GOOD[:-1], 1, id="cut short"),
    pytest.param(GOOD[: len(GOOD) // 2], 1, id="cut in half"),
    pytest.param(GOOD + b"\x00", 1, id="with a byte after it"),
    pytest.param(GOOD + GOOD, 1, id="twice"),
    pytest.param(pem(SHOP.cert), 1, id="PEM"),
    pytest.param(SHOP.der, 1, id="a certificate"),
    pytest.param(b"\x30\x80" + GOOD[2:], 1, id="of indefinite length"),
    pytest.param(b"\x30\x84\x00\x00" + GOOD[2:], 1, id="with its length written long"),
    pytest.param(b"\x30" * 60_000, 1, id="deeply nested"),
    pytest.param(lie(extensions=[asn1.extension("1.2.3", bytes(66_000))]), 1, id="over 64 KiB"),
    pytest.param(lie(certificates=[SHOP] * 11), 1, id="with eleven certificates"),
    pytest.param(
        lie(also=[HONEST.single(SHOP, now=NOW)] * 100), 1, id="with a hundred and one answers"
    ),
    pytest.param(asn1.sequence(asn1.enumerated(0)), 3, id="a success without an answer"),
    pytest.param(lie(kind="1.3.6.1.5.5.7.48.1.99"), 3, id="of another type"),
    pytest.param(lie(version=1), 3, id="of version 2"),
    pytest.param(lie(version=0), 3, id="with the default version encoded"),
    pytest.param(lie(this_update=b"20260115110000.5Z"), 3, id="with fractions of seconds"),
    pytest.param(lie(next_update=b"20260122110000.0Z"), 3, id="with no fraction of a second"),
    pytest.param(lie(next_update=b"202601221100Z"), 3, id="without seconds"),
    pytest.param(lie(next_update=b"20260122110000+0000"), 3, id="with an offset"),
    pytest.param(lie(next_update=b"20260122110000"), 3, id="without a zone"),
    pytest.param(lie(next_update=b"20260132110000Z"), 3, id="on the 32nd"),
    pytest.param(lie(produced_at=b"2026011511000 Z"), 3, id="produced at a space"),
]


@pytest.mark.parametrize(("der", "step"), SHAPES)
def test_what_is_no_plain_response_is_malformed(der, step):
    verdict = rejected(der)

    assert (verdict.reason, verdict.step) == (Reason.MALFORMED, step)


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({"version": 1}, "the version is 2 (expected 1)"),
        (
            {"next_update": b"20260122110000.5Z"},
            'nextUpdate is not a time (got "20260122110000.5Z", expected YYYYMMDDHHMMSSZ)',
        ),
    ],
)
def test_what_was_got_and_what_was_expected_is_told(said, problem):
    assert rejected(lie(**said)).problem == problem


@pytest.mark.parametrize(
    ("status", "name"),
    [
        (1, "malformedRequest"),
        (2, "internalError"),
        (3, "tryLater"),
        (4, "none RFC 6960 knows"),
        (5, "sigRequired"),
        (6, "unauthorized"),
        (99, "none RFC 6960 knows"),
    ],
)
def test_an_error_of_the_responder_is_never_stapled(status, name):
    verdict = rejected(lie(response_status=status))

    assert (verdict.reason, verdict.step) == (Reason.UNSUCCESSFUL, 2)
    assert verdict.response_status == status
    assert name in verdict.problem


SIGNERS = [
    pytest.param(lie(forge=True), Reason.SIGNATURE, 5, id="a signature over something else"),
    pytest.param(flipped(GOOD, len(GOOD) - 1), Reason.SIGNATURE, 5, id="a bit of it flipped"),
    pytest.param(
        lie(signer=HONEST.delegate(), forge=True), Reason.SIGNATURE, 5, id="a delegate's forgery"
    ),
    pytest.param(
        lie(signer=NAMESAKE.intermediate, by="name", certificates=[]),
        Reason.SIGNATURE,
        5,
        id="the issuer's name and another key",
    ),
    pytest.param(
        lie(signer=NAMESAKE.intermediate, by="name"),
        Reason.SIGNATURE,
        5,
        id="the issuer's name and another key, embedded",
    ),
    pytest.param(
        lie(signer=NAMESAKE.intermediate), Reason.SIGNER, 5, id="the namesake by its own key"
    ),
    pytest.param(
        lie(signer=STRANGER.root, responder=HONEST.intermediate, certificates=[]),
        Reason.SIGNATURE,
        5,
        id="a stranger who says he is the issuer",
    ),
    pytest.param(
        lie(signer=HONEST.delegate(), certificates=[]), Reason.SIGNER, 5, id="a delegate unseen"
    ),
    pytest.param(
        lie(signer=HONEST.delegate(), certificates=[SHOP]), Reason.SIGNER, 5, id="another one seen"
    ),
    pytest.param(
        lie(signer=HONEST.delegate(purpose=None)), Reason.SIGNER, 5, id="without extended key usage"
    ),
    pytest.param(lie(signer=HONEST.delegate(purpose="any")), Reason.SIGNER, 5, id="for any usage"),
    pytest.param(lie(signer=HONEST.delegate(purpose="server")), Reason.SIGNER, 5, id="for servers"),
    pytest.param(lie(signer=SHOP), Reason.SIGNER, 5, id="the certificate itself"),
    pytest.param(lie(signer=HONEST.leaf(["evil"])), Reason.SIGNER, 5, id="another customer"),
    pytest.param(
        lie(signer=HONEST.delegate(not_after=NOW - MINUTE)), Reason.SIGNER, 5, id="expired"
    ),
    pytest.param(
        lie(signer=HONEST.delegate(not_before=NOW + MINUTE)), Reason.SIGNER, 5, id="not valid yet"
    ),
    pytest.param(
        lie(signer=HONEST.delegate(issuer=HONEST.root)), Reason.SIGNER, 5, id="the root's delegate"
    ),
    pytest.param(
        lie(signer=HONEST.delegate(issuer=HONEST.sub_authority())),
        Reason.SIGNER,
        5,
        id="a sub-CA's delegate",
    ),
    pytest.param(lie(signer=HONEST.sub_authority()), Reason.SIGNER, 5, id="a sub-CA"),
    pytest.param(lie(signer=HONEST.root), Reason.SIGNER, 5, id="the grand-parent, embedded"),
    pytest.param(lie(signer=HONEST.root, certificates=[]), Reason.SIGNER, 5, id="the grand-parent"),
    pytest.param(lie(signer=STRANGER.delegate()), Reason.SIGNER, 5, id="a stranger's delegate"),
    pytest.param(lie(signer=NAMESAKE.delegate()), Reason.SIGNER, 5, id="a namesake's delegate"),
    pytest.param(
        lie(
            signer=HONEST.delegate(
                critical=[x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3"), b"\x05\x00")]
            )
        ),
        Reason.SIGNER,
        5,
        id="with a critical extension nobody knows",
    ),
    pytest.param(
        lie(signer=HONEST.delegate(issuer=ALIAS)),
        Reason.SIGNER,
        5,
        id="issued by the issuer's key under another name",
    ),
    pytest.param(
        lie(signer=two_faced(HONEST.delegate())), Reason.SIGNER, 5, id="naming two algorithms"
    ),
    pytest.param(
        lie(signer=HONEST.delegate(key="rsa1024")), Reason.ALGORITHM, 4, id="a weak RSA delegate"
    ),
    pytest.param(
        lie(signer=HONEST.delegate(digest="sha1")), Reason.ALGORITHM, 5, id="certified by SHA-1"
    ),
    pytest.param(
        lie(signer=HONEST.delegate(key="rsa"), signed_with="md5"), Reason.ALGORITHM, 4, id="MD5"
    ),
    pytest.param(lie(signed_with="sha1"), Reason.ALGORITHM, 4, id="SHA-1"),
    pytest.param(lie(signed_with="sha224"), Reason.ALGORITHM, 4, id="SHA-224"),
    pytest.param(
        lie(signer=HONEST.delegate(key="rsa"), signed_with="sha1", pss=True),
        Reason.ALGORITHM,
        4,
        id="RSA-PSS with SHA-1",
    ),
]


@pytest.mark.parametrize(("der", "reason", "step"), SIGNERS)
def test_only_the_issuer_or_its_delegate_is_believed(der, reason, step):
    verdict = rejected(der)

    assert (verdict.reason, verdict.step) == (reason, step), verdict.problem


@pytest.mark.parametrize(
    ("authority", "said"),
    [
        pytest.param(WEAK, {}, id="RSA of 1024 bits"),
        pytest.param(RSA, {"signed_with": "md5"}, id="RSA with MD5"),
        pytest.param(RSA, {"signed_with": "sha1"}, id="RSA with SHA-1"),
    ],
)
def test_an_issuer_whose_signature_proves_nothing_is_not_believed(authority, said):
    leaf = authority.leaf()

    assert rejected(authority.respond(leaf, now=NOW, **said), leaf).reason is Reason.ALGORITHM


@pytest.mark.parametrize("allow_sha1", [False, True])
def test_md5_is_never_believed(allow_sha1):
    der = RSA.respond(RSA_SHOP, now=NOW, signed_with="md5")

    assert rejected(der, RSA_SHOP, allow_sha1=allow_sha1).reason is Reason.ALGORITHM


@pytest.mark.parametrize(
    "issuer",
    [
        pytest.param(NAMESAKE.intermediate, id="of its issuer's name"),
        pytest.param(STRANGER.intermediate, id="of another name"),
        pytest.param(HONEST.root, id="above its issuer"),
    ],
)
def test_the_word_of_one_who_did_not_issue_the_certificate_counts_for_nothing(issuer):
    der = STRANGER.respond(SHOP, now=NOW, signer=issuer, issuer=issuer)

    verdict = rejected(der, issuer=issuer)

    assert (verdict.reason, verdict.step) == (Reason.SIGNER, 5)


@pytest.mark.parametrize(
    "der",
    [
        pytest.param(
            lie(extensions=[asn1.extension("1.2.3", b"\x05\x00", critical=True)]), id="unknown"
        ),
        pytest.param(
            lie(extensions=[asn1.extension(NONCE, b"\x04\x01x", critical=True)]), id="a nonce"
        ),
        pytest.param(
            lie(single_extensions=[asn1.extension("1.2.3", b"", critical=True)]), id="in an answer"
        ),
        pytest.param(
            lie(
                also=[
                    replace(
                        HONEST.single(HONEST.leaf(), now=NOW),
                        extensions=(asn1.extension("1.2.3", b"", critical=True),),
                    )
                ]
            ),
            id="in an answer about another",
        ),
    ],
)
def test_a_critical_extension_nobody_knows_is_not_stapled(der):
    verdict = rejected(der)

    assert (verdict.reason, verdict.step) == (Reason.EXTENSION, 7)


@pytest.mark.parametrize(
    "der",
    [
        pytest.param(lie(serial=SHOP.cert.serial_number + 1), id="another serial"),
        pytest.param(lie(serial=-SHOP.cert.serial_number), id="the serial with a minus"),
        pytest.param(lie(name_hash=b"n" * 20), id="another issuer name"),
        pytest.param(lie(key_hash=b"k" * 20), id="another issuer key"),
        pytest.param(lie(digest="sha256", name_hash=b"n" * 20), id="a hash of wrong length"),
        pytest.param(lie(digest="md5"), id="an MD5 CertID"),
        pytest.param(
            HONEST.respond(HONEST.leaf(), now=NOW), id="another certificate of the issuer"
        ),
    ],
)
def test_an_answer_about_another_certificate_is_not_stapled(der):
    verdict = rejected(der)

    assert (verdict.reason, verdict.step) == (Reason.OTHER_CERTIFICATE, 8)


@pytest.mark.parametrize(
    "der",
    [
        pytest.param(lie(status="revoked"), id="revoked"),
        pytest.param(lie(status="revoked", revocation_reason=6), id="on hold"),
        pytest.param(
            lie(also=[HONEST.single(SHOP, now=NOW, status="revoked")]), id="good, then revoked"
        ),
        pytest.param(
            lie(also=[HONEST.single(SHOP, now=NOW, status="revoked", digest="sha256")]),
            id="good by SHA-1, revoked by SHA-256",
        ),
        pytest.param(
            lie(status="unknown", also=[HONEST.single(SHOP, now=NOW, status="revoked")]),
            id="unknown, then revoked",
        ),
        pytest.param(lie(status="revoked", next_update=-HOUR), id="revoked some time ago"),
    ],
)
def test_a_revoked_certificate_is_told_from_every_other_trouble(der):
    verdict = rejected(der)

    assert (verdict.reason, verdict.step) == (Reason.REVOKED, 9)
    assert verdict.revoked_at == NOW - HOUR


def test_the_time_of_the_revocation_is_told():
    verdict = rejected(lie(status="revoked", revoked_at=NOW - 3 * DAY))

    assert verdict.revoked_at == NOW - 3 * DAY


@pytest.mark.parametrize(
    "der",
    [
        pytest.param(lie(status="unknown"), id="unknown"),
        pytest.param(
            lie(also=[HONEST.single(SHOP, now=NOW, status="unknown")]), id="good, then unknown"
        ),
    ],
)
def test_a_certificate_the_responder_does_not_know_is_not_stapled(der):
    verdict = rejected(der)

    assert (verdict.reason, verdict.step) == (Reason.UNKNOWN, 9)


@pytest.mark.parametrize(
    "said",
    [
        pytest.param({"this_update": NOW + 6 * MINUTE}, id="from the future"),
        pytest.param({"produced_at": NOW + 6 * MINUTE}, id="produced in the future"),
        pytest.param({"next_update": None}, id="without nextUpdate"),
        pytest.param({"next_update": -2 * HOUR}, id="ending before it begins"),
        pytest.param(
            {"also": [HONEST.single(SHOP, now=NOW - 30 * DAY, digest="sha256")]},
            id="of which one is expired",
        ),
    ],
)
@pytest.mark.parametrize("purpose", [Purpose.NEW, Purpose.SERVED])
def test_an_answer_whose_times_make_no_sense_is_not_stapled(said, purpose):
    verdict = rejected(lie(**said), purpose=purpose)

    assert (verdict.reason, verdict.step) == (Reason.TIME, 10)


@pytest.mark.parametrize(
    "said",
    [{"next_update": None}, {"this_update": NOW + 6 * MINUTE}, {"next_update": -2 * HOUR}],
    ids=["without nextUpdate", "from the future", "ending before it begins"],
)
def test_age_is_all_that_is_forgiven_in_what_we_kept(said):
    assert rejected(lie(**said), purpose=Purpose.KEPT).reason is Reason.TIME


def test_a_kept_answer_of_a_delegate_expired_before_signing_is_refused():
    delegate = HONEST.delegate(not_after=NOW - 10 * DAY)
    der = HONEST.respond(SHOP, now=NOW - DAY, signer=delegate)

    assert rejected(der, purpose=Purpose.KEPT).reason is Reason.SIGNER


@pytest.mark.parametrize("purpose", [Purpose.NEW, Purpose.SERVED])
@pytest.mark.parametrize(
    "ends", [pytest.param(-MINUTE, id="a minute ago"), pytest.param(0 * MINUTE, id="now")]
)
def test_an_expired_answer_is_not_stapled(purpose, ends):
    der = lie(this_update=NOW - WEEK, next_update=ends)

    verdict = rejected(der, purpose=purpose)

    assert (verdict.reason, verdict.step) == (Reason.TIME, 10)


@pytest.mark.parametrize(
    ("said", "floors"),
    [
        pytest.param(
            {"this_update": NOW - WEEK, "next_update": 59 * MINUTE}, Floors(), id="under an hour"
        ),
        pytest.param(
            {"this_update": NOW - HOUR, "next_update": 5 * MINUTE}, Floors(), id="under a tenth"
        ),
        pytest.param(
            {"this_update": NOW - WEEK, "next_update": 3 * HOUR},
            Floors(least_life_left=4 * HOUR),
            id="under the floor of the settings",
        ),
        pytest.param(
            {"signer": HONEST.delegate(not_after=NOW + 59 * MINUTE)},
            Floors(),
            id="a delegate about to expire",
        ),
    ],
)
def test_what_is_about_to_expire_is_not_written(said, floors):
    der = lie(**said)

    assert rejected(der, floors=floors).reason is Reason.TIME
    assert isinstance(
        judge(der, SHOP.cert, SHOP.issuer_cert, now=NOW, purpose=Purpose.SERVED), Good
    )


@pytest.mark.parametrize("purpose", list(Purpose))
def test_an_answer_valid_for_years_is_not_stapled(purpose):
    verdict = rejected(lie(next_update=400 * DAY), purpose=purpose)

    assert (verdict.reason, verdict.step) == (Reason.TIME, 11)


def test_an_answer_older_than_the_one_in_place_is_not_written():
    present = judge(GOOD, SHOP.cert, SHOP.issuer_cert, now=NOW)
    assert isinstance(present, Good)

    verdict = rejected(lie(this_update=NOW - 2 * HOUR), replaces=present.staple)

    assert (verdict.reason, verdict.step) == (Reason.OLDER, 12)


def test_the_der_of_a_certificate_under_another_tag_is_malformed():
    octets = SHOP.cert.public_bytes(Encoding.DER)

    assert rejected(b"\x31" + octets[1:]).reason is Reason.MALFORMED
