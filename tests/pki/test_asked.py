"""Requests read: what they ask about, and what is no request."""

from __future__ import annotations

import random

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from staplecfg.pki import der
from staplecfg.pki.asked import MOST_BYTES, asked
from staplecfg.pki.certid import certids, identifies
from staplecfg.pki.digests import BY_OID, SHA256
from staplecfg.pki.request import request, request_for
from tests.support.authority import Authority

AUTHORITY = Authority.create()
ISSUER = AUTHORITY.intermediate.cert
LEAVES = [AUTHORITY.leaf([f"{n}.example"]).cert for n in range(3)]


def test_one_question_is_read_back():
    (certid,) = asked(request(LEAVES[0], ISSUER))

    assert identifies(certid, LEAVES[0], ISSUER)
    assert not identifies(certid, LEAVES[1], ISSUER)


def test_several_questions_are_read_back_in_their_order():
    found = asked(request_for(LEAVES, ISSUER, SHA256))

    assert [certid.serial for certid in found] == [leaf.serial_number for leaf in LEAVES]


def test_a_request_about_one_is_the_same_however_it_is_made():
    assert request_for(LEAVES[:1], ISSUER) == request(LEAVES[0], ISSUER)


def test_a_certificate_has_a_certid_for_every_hash():
    found = certids(LEAVES[0], ISSUER)

    assert {certid.hash_oid for certid in found} == BY_OID.keys()
    assert all(identifies(certid, LEAVES[0], ISSUER) for certid in found)


def test_a_nonce_changes_nothing():
    builder = ocsp.OCSPRequestBuilder().add_certificate(LEAVES[0], ISSUER, hashes.SHA256())
    with_nonce = builder.add_extension(x509.OCSPNonce(b"n" * 32), critical=False).build()

    (certid,) = asked(with_nonce.public_bytes(Encoding.DER))

    assert identifies(certid, LEAVES[0], ISSUER)


NOTHING_ASKED = der.sequence(der.sequence(der.sequence(b"")))


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"GET / HTTP/1.0", id="text"),
        pytest.param(NOTHING_ASKED, id="no question"),
        pytest.param(request(LEAVES[0], ISSUER) + b"\0", id="a byte too many"),
        pytest.param(request(LEAVES[0], ISSUER)[:-1], id="cut short"),
        pytest.param(request_for(LEAVES * 7, ISSUER), id="too many questions"),
        pytest.param(der.sequence(b"\x04\x82\x7f\xff" + b"x" * 0x7FFF), id="too long"),
        pytest.param(AUTHORITY.intermediate.cert.public_bytes(Encoding.DER), id="a certificate"),
    ],
)
def test_anything_else_is_refused(data):
    with pytest.raises(der.NotDER):
        asked(data)


def test_random_changes_are_read_or_refused():
    dice = random.Random(6960)
    good = request_for(LEAVES, ISSUER)
    for _ in range(3000):
        noise = bytearray(good)
        for _ in range(dice.randrange(1, 4)):
            noise[dice.randrange(len(noise))] = dice.randrange(256)
        try:
            assert asked(bytes(noise))
        except der.NotDER:
            continue


@pytest.mark.parametrize("length", [0, 1, 127, 128, 255, 256, 65535, 65536])
def test_a_sequence_is_written_in_its_shortest_form(length):
    written = der.sequence(b"x" * length)

    assert der.read(written, der.SEQUENCE).content == b"x" * length
    assert MOST_BYTES < 65536
