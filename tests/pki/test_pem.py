from __future__ import annotations

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from staplecfg.model.errors import NotUnderstood
from staplecfg.pki.anatomy import anatomy
from staplecfg.pki.pem import MOST_BYTES, MOST_CERTIFICATES, certificates
from tests.support import asn1
from tests.support.authority import Authority, issue, pem, private_key

HONEST = Authority.create()
SHOP = HONEST.leaf(["shop.example"])
LEAF = pem(SHOP.cert)
BODY = LEAF.splitlines()[1:-1]


def block(label: bytes, octets: bytes) -> bytes:
    body = base64.encodebytes(octets)
    return b"-----BEGIN %s-----\n%s-----END %s-----\n" % (label, body, label)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(LEAF, id="plain"),
        pytest.param(LEAF.replace(b"\n", b"\r\n"), id="CRLF"),
        pytest.param(LEAF.replace(b"\n", b"\r"), id="CR alone"),
        pytest.param(LEAF.rstrip(b"\n"), id="no final newline"),
        pytest.param(b"\xef\xbb\xbf" + LEAF, id="BOM"),
        pytest.param(b"subject=/CN=\xe4\n" + LEAF + b"# end\n", id="comments"),
        pytest.param(LEAF.replace(b"-----\n", b"-----  \t\n"), id="spaces after the labels"),
        pytest.param(SHOP.key_pem + LEAF, id="a key before"),
        pytest.param(LEAF + SHOP.key_pem, id="a key after"),
        pytest.param(
            LEAF + b"-----BEGIN PRIVATE KEY-----\nno key\n-----END PRIVATE KEY-----\n",
            id="a broken key",
        ),
        pytest.param(block(b"X509 CERTIFICATE", SHOP.der), id="X509 CERTIFICATE"),
        pytest.param(
            block(b"TRUSTED CERTIFICATE", SHOP.der + asn1.sequence(b"\x0c\x01x")),
            id="TRUSTED CERTIFICATE",
        ),
        pytest.param(
            block(b"EC PARAMETERS", b"\x06\x08*\x86H\xce=\x03\x01\x07") + LEAF, id="parameters"
        ),
        pytest.param(
            b"-----BEGIN CERTIFICATE-----\n" + b"".join(BODY) + b"\n-----END CERTIFICATE-----\n",
            id="one long line",
        ),
    ],
)
def test_what_servers_read_is_read(data):
    assert certificates(data) == (SHOP.cert,)


def test_the_order_of_the_file_is_kept():
    present = (HONEST.root.cert, SHOP.cert, HONEST.intermediate.cert, SHOP.cert)

    assert certificates(pem(*present)) == present


def test_a_root_with_serial_number_zero_is_read():
    # cryptography refuses to build one; distributions ship several.
    root = issue("Zero", private_key("ec", "zero"), None, ca=True, serial=1)
    version, _, *rest = asn1.parts(root.cert.tbs_certificate_bytes)
    _, *tail = asn1.parts(root.der)
    zero = asn1.sequence(asn1.sequence(version, asn1.integer(0), *rest), *tail)

    (read,) = certificates(block(b"CERTIFICATE", zero))

    assert anatomy(read).serial == 0


@pytest.mark.parametrize(
    ("data", "problem", "hint"),
    [
        pytest.param(b"", "is empty", "PEM", id="empty"),
        pytest.param(b" \n\n", "is empty", "PEM", id="blank"),
        pytest.param(SHOP.key_pem, "private key", "named in place", id="only a key"),
        pytest.param(b"hello\n", "no PEM certificate", "BEGIN CERTIFICATE", id="no PEM"),
        pytest.param(SHOP.der, "is DER", "openssl x509 -inform DER", id="DER"),
        pytest.param(SHOP.der[:-9], "cut short", None, id="DER cut short"),
        pytest.param(
            asn1.sequence(asn1.integer(3), asn1.sequence()),
            "PKCS#12",
            "openssl pkcs12",
            id="PKCS#12",
        ),
        pytest.param(block(b"PKCS7", b"\x30\x00"), "PKCS#7", "openssl pkcs7", id="PKCS#7"),
        pytest.param(
            block(b"CERTIFICATE REQUEST", b"\x30\x00"), "request", "CA sends", id="a request"
        ),
        pytest.param(block(b"X509 CRL", b"\x30\x00"), "only X509 CRL", None, id="a CRL"),
        pytest.param(
            LEAF.decode().encode("utf-16"), "UTF-16", "iconv", id="saved by a Windows editor"
        ),
        pytest.param(LEAF[:-30], "no END", "cut short", id="without its end"),
        pytest.param(LEAF[:300], "no END", "cut short", id="cut short"),
        pytest.param(LEAF.replace(BODY[2], BODY[2][:-1]), "not base64", "line", id="a letter lost"),
        pytest.param(LEAF.replace(BODY[2], b"!" * 64), "not base64", "line", id="no base64"),
        pytest.param(LEAF.replace(BODY[2] + b"\n", b""), "broken", None, id="a line lost"),
        pytest.param(block(b"CERTIFICATE", b""), "broken", None, id="nothing between the lines"),
        pytest.param(LEAF + block(b"CERTIFICATE", b"\x30\x00"), "certificate 2", None, id="second"),
        pytest.param(b"#" * (MOST_BYTES + 1), "bytes long", None, id="huge"),
        pytest.param(LEAF * (MOST_CERTIFICATES + 1), "more than", None, id="endless"),
    ],
)
def test_what_servers_do_not_read_is_refused_with_the_reason(data, problem, hint):
    with pytest.raises(NotUnderstood) as caught:
        certificates(data)

    assert problem in caught.value.problem
    assert (caught.value.hint is None) == (hint is None)
    assert hint is None or hint in (caught.value.hint or "")


@settings(max_examples=200)
@given(at=st.integers(0, 5000), cut=st.integers(0, 40), put=st.binary(max_size=8))
def test_bytes_put_in_the_place_of_others_are_read_or_refused(at, cut, put):
    at %= len(LEAF)
    spoiled = LEAF[:at] + put + LEAF[at + cut :]

    try:
        read = certificates(spoiled)
    except NotUnderstood:
        return
    assert len(read) == 1
