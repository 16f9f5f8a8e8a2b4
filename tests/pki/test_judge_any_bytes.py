"""Whatever the bytes, there is a verdict; and no byte of a good response can be another."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from staplecfg.model.verdict import Good, Rejected
from staplecfg.pki.about import About, about
from staplecfg.pki.decode import decode
from staplecfg.pki.judge import judge
from tests.support import asn1
from tests.support.authority import Authority
from tests.support.responses import basic, response, sign

if TYPE_CHECKING:
    from staplecfg.model.verdict import Judgement

NOW = datetime(2026, 1, 15, 12, 0, tzinfo=timezone.utc)
HONEST = Authority.create()
SHOP = HONEST.leaf(["shop.example"])
DIRECT = HONEST.respond(SHOP, now=NOW)
DELEGATED = HONEST.respond(SHOP, now=NOW, signer=HONEST.delegate(), by="name")
MANY = HONEST.respond(SHOP, now=NOW, also=[HONEST.single(SHOP, now=NOW, digest="sha256")])
GOOD = (DIRECT, DELEGATED, MANY)


def judged(der: bytes) -> Judgement:
    return judge(der, SHOP.cert, SHOP.issuer_cert, now=NOW)


@pytest.mark.parametrize("der", [pytest.param(DIRECT, id="direct"), pytest.param(MANY, id="many")])
@pytest.mark.parametrize("mask", [0x01, 0x80, 0xFF])
def test_no_byte_of_a_good_response_may_be_another(der, mask):
    for at in range(len(der)):
        spoiled = der[:at] + bytes([der[at] ^ mask]) + der[at + 1 :]

        assert isinstance(judged(spoiled), Rejected), f"byte {at}"


@pytest.mark.parametrize("mask", [0x01, 0x20, 0xFF])
def test_a_changed_byte_of_a_delegated_response_never_changes_the_answer(mask):
    honest = judged(DELEGATED)
    assert isinstance(honest, Good)
    for at in range(len(DELEGATED)):
        spoiled = DELEGATED[:at] + bytes([DELEGATED[at] ^ mask]) + DELEGATED[at + 1 :]

        verdict = judged(spoiled)

        if isinstance(verdict, Good):
            assert verdict.staple.next_update == honest.staple.next_update, f"byte {at}"
            assert verdict.staple.responder_expires == honest.staple.responder_expires


@pytest.mark.parametrize("der", GOOD, ids=["direct", "delegated", "many"])
def test_a_response_cut_short_anywhere_is_rejected(der):
    for length in range(len(der)):
        assert isinstance(judged(der[:length]), Rejected), f"{length} bytes"


@settings(max_examples=300)
@given(
    der=st.sampled_from(GOOD),
    at=st.integers(0, 2000),
    cut=st.integers(0, 12),
    put=st.binary(max_size=12),
)
@example(der=DIRECT, at=0, cut=1, put=b"\x1f")
def test_bytes_put_in_the_place_of_others_never_raise(der, at, cut, put):
    at %= len(der)
    spoiled = der[:at] + put + der[at + cut :]

    assert isinstance(judged(spoiled), Good | Rejected)
    assert isinstance(about(spoiled), About)


@settings(max_examples=300)
@given(st.binary(max_size=300))
def test_any_bytes_at_all_never_raise(der):
    assert isinstance(judged(der), Rejected)
    assert isinstance(about(der), About)


def test_a_responder_certificate_that_names_serial_number_zero_is_judged_without_a_word():
    """`cryptography` warns when it reads the extensions: with -W error that raises."""
    delegate = HONEST.delegate()
    serial_zero = asn1.tlv(0x82, b"\x00")
    directory_name = asn1.tlv(0xA1, asn1.tlv(0xA4, delegate.cert.issuer.public_bytes()))
    named = asn1.extension("2.5.29.35", asn1.sequence(directory_name, serial_zero))
    *fields, wrapped = asn1.parts(delegate.cert.tbs_certificate_bytes)
    (listed,) = asn1.parts(wrapped)
    others = [each for each in asn1.parts(listed) if b"\x55\x1d\x23" not in each]
    tbs = asn1.sequence(*fields, asn1.explicit(3, asn1.sequence(*others, named)))
    algorithm, signature = sign(HONEST.intermediate.key, tbs, "sha256", pss=False)
    odd = asn1.sequence(tbs, algorithm, asn1.bits(signature))
    honest = decode(HONEST.respond(SHOP, now=NOW, signer=delegate)).basic
    assert honest is not None
    # The response's signature does not cover the certificates that come with it.
    der = response(0, basic(honest.tbs, honest.algorithm, honest.signature, [odd]))

    assert isinstance(judged(der), Good)
