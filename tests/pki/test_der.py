from __future__ import annotations

from datetime import datetime, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from staplecfg.pki import der
from tests.support import asn1


@given(st.integers(-(2**200), 2**200))
@example(-128)
@example(-129)
@example(128)
def test_a_number_written_is_the_number_read(value):
    assert der.integer(der.read(asn1.integer(value), der.INTEGER)) == value


@given(st.binary(max_size=300), st.binary(max_size=20))
def test_an_element_is_read_and_the_rest_given_back(content, rest):
    element, left = der.read_first(asn1.octets(content) + rest)

    assert (element.content, left) == (content, rest)
    assert element.whole == asn1.octets(content)


@given(st.binary(max_size=100))
def test_any_bytes_are_an_element_or_no_der(data):
    try:
        element, rest = der.read_first(data)
    except der.NotDER:
        return
    assert element.whole + rest == data


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\x04", id="a tag alone"),
        pytest.param(b"\x04\x02x", id="cut short"),
        pytest.param(b"\x1f\x01\x00", id="a tag of several bytes"),
        pytest.param(b"\x30\x80\x00\x00", id="an indefinite length"),
        pytest.param(b"\x04\x81\x01x", id="a short length written long"),
        pytest.param(b"\x04\x82\x00\x80" + bytes(128), id="a length with a zero before it"),
        pytest.param(b"\x04\x85\x01\x00\x00\x00\x00", id="a length of five bytes"),
        pytest.param(b"\x04\x84\xff\xff\xff\xff", id="four gigabytes announced"),
        pytest.param(b"\x04\x82\x01", id="a length cut short"),
    ],
)
def test_what_is_not_der_is_refused(data):
    with pytest.raises(der.NotDER):
        der.read_first(data)


@pytest.mark.parametrize("content", [b"", b"\x00\x01", b"\xff\xff"])
def test_a_number_not_in_its_shortest_form_is_refused(content):
    with pytest.raises(der.NotDER):
        der.integer(der.read(asn1.tlv(der.INTEGER, content), der.INTEGER))


@pytest.mark.parametrize(
    "dotted",
    ["1.3.6.1.5.5.7.48.1.1", "2.16.840.1.101.3.4.2.1", "0.9.2342.19200300.100.1.25", "2.5.29.15"],
)
def test_an_object_identifier_is_read_as_it_was_written(dotted):
    assert der.identifier(der.read(asn1.oid(dotted), der.OBJECT_IDENTIFIER)) == dotted


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"20260115120000Z", datetime(2026, 1, 15, 12, tzinfo=timezone.utc)),
        (b"99991231235959Z", datetime(9999, 12, 31, 23, 59, 59, tzinfo=timezone.utc)),
        (b"20260115120000.5Z", None),
        (b"202601151200Z", None),
        (b"20260115120000", None),
        (b"20260115120000+0000", None),
        (b"20260115120060Z", None),
        (b"20260230120000Z", None),
        (b"00000115120000Z", None),
        (b"+0260115120000Z", None),
        (b"2026011512000\xb2Z", None),
        (b"", None),
    ],
)
def test_a_time_is_in_the_one_form_or_it_is_none(text, expected):
    assert der.moment(der.read(asn1.time(text), der.GENERALIZED_TIME)) == expected


@pytest.mark.parametrize("value", [b"\x01", b"", b"\xff\xff"])
def test_a_boolean_is_true_or_false(value):
    with pytest.raises(der.NotDER):
        der.boolean(der.read(asn1.tlv(der.BOOLEAN, value), der.BOOLEAN))


def test_a_member_nobody_expects_is_refused():
    fields = der.Fields(der.read(asn1.sequence(asn1.integer(1), asn1.NULL), der.SEQUENCE))
    fields.take(der.INTEGER)

    with pytest.raises(der.NotDER):
        fields.end()


def test_a_list_longer_than_its_limit_is_refused():
    with pytest.raises(der.NotDER):
        der.children(der.read(asn1.sequence(*[asn1.NULL] * 4), der.SEQUENCE), most=3)
