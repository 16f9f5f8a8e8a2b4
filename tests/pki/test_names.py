from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from staplecfg.pki.names import same_name
from tests.support import asn1

UTF8, PRINTABLE, BMP, UTF16_BE = 0x0C, 0x13, 0x1E, "utf-16-be"


def name(value: bytes, tag: int = UTF8, kind: str = "2.5.4.3") -> bytes:
    return asn1.sequence(asn1.tlv(0x31, asn1.sequence(asn1.oid(kind), asn1.tlv(tag, value))))


ACME = name(b"Acme CA")


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(ACME, id="itself"),
        pytest.param(name(b"Acme CA", PRINTABLE), id="another type of string"),
        pytest.param(name("Acme CA".encode(UTF16_BE), BMP), id="two bytes a letter"),
        pytest.param(name(b"ACME ca"), id="another case"),
        pytest.param(name(b"  Acme   CA "), id="more spaces"),
    ],
)
def test_names_match_however_they_are_written(other):
    assert same_name(ACME, other)
    assert same_name(other, ACME)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(name(b"Acme CB"), id="another name"),
        pytest.param(name(b"AcmeCA"), id="a space less"),
        pytest.param(name(b"Acme CA", kind="2.5.4.10"), id="an organization"),
        pytest.param(name(b"Acme CA", 0x03), id="a bit string"),
        pytest.param(name(b"Acme CA\xff"), id="no UTF-8"),
        pytest.param(asn1.sequence(), id="no name"),
        pytest.param(ACME[:-1], id="cut short"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_names_that_differ_do_not_match(other):
    assert not same_name(ACME, other)
    assert not same_name(other, ACME)


@given(st.binary(max_size=60))
def test_any_bytes_match_themselves(octets):
    assert same_name(octets, octets)
