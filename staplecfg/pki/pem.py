"""Read certificates from PEM as servers accept it (RFC 7468, and OpenSSL's older labels).

A key in the same file is stepped over and never decoded.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.serialization import Encoding

from staplecfg.model.errors import NotUnderstood
from staplecfg.pki import der
from staplecfg.pki.anatomy import UNREADABLE, anatomy, load

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cryptography.x509 import Certificate

MOST_BYTES = 4 * 1024 * 1024
MOST_CERTIFICATES = 1000
"""A distribution's whole root store is 150 certificates and 250 kB."""

LABELS = {b"CERTIFICATE", b"X509 CERTIFICATE", b"TRUSTED CERTIFICATE"}
"""What OpenSSL's PEM_read_bio_X509_AUX takes for a certificate."""

BEGIN = re.compile(rb"^-----BEGIN ([A-Z0-9 ]+)-----[ \t\r]*$", re.MULTILINE)
UTF16 = (b"\xff\xfe", b"\xfe\xff")
DER_SEQUENCE = b"\x30"
PKCS12_VERSION = b"\x02\x01\x03"


def written(given: Iterable[Certificate]) -> bytes:
    """Return `given` as PEM text, in their order."""
    return b"".join(each.public_bytes(Encoding.PEM) for each in given)


def certificates(data: bytes) -> tuple[Certificate, ...]:
    """Return the certificates in the PEM text `data`, in their order, at least one.

    Keys and whatever else stands between are stepped over, and so is what
    OpenSSL appends inside a TRUSTED CERTIFICATE. Raises `NotUnderstood` with
    the likeliest reason and what to do; one broken certificate spoils the file,
    as it does for servers.
    """
    if len(data) > MOST_BYTES:
        raise NotUnderstood(f"is {len(data)} bytes long (expected at most {MOST_BYTES})")
    found: list[Certificate] = []
    others: list[bytes] = []
    for label, body in _blocks(data):
        if label not in LABELS:
            others.append(label)
            continue
        if len(found) == MOST_CERTIFICATES:
            raise NotUnderstood(f"holds more than {MOST_CERTIFICATES} certificates")
        found.append(_certificate(body, len(found) + 1))
    if not found:
        raise _nothing(data, others)
    return tuple(found)


def _blocks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    position = 0
    text = data.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    while begin := BEGIN.search(text, position):
        label = begin[1]
        end = re.compile(rb"^-----END %s-----" % re.escape(label), re.MULTILINE).search(
            text, begin.end()
        )
        if end is None:
            raise NotUnderstood(
                f"the {label.decode()} block has no END line",
                hint="the file may have been cut short; copy it again",
            )
        yield label, text[begin.end() : end.start()]
        position = end.end()


def _certificate(body: bytes, number: int) -> Certificate:
    try:
        octets = base64.b64decode(b"".join(body.split()), validate=True)
    except binascii.Error as error:
        raise NotUnderstood(
            f"certificate {number} is not base64: {str(error).lower()}",
            hint="a line may be missing, or text may stand between BEGIN and END",
        ) from error
    try:
        certificate = load(der.read_first(octets)[0].whole)
        anatomy(certificate)
    except UNREADABLE as error:
        raise NotUnderstood(f"certificate {number} is broken: {error}") from error
    return certificate


def _nothing(data: bytes, others: list[bytes]) -> NotUnderstood:
    if not data.strip():
        return NotUnderstood("is empty", hint="put the certificate and its chain into it, as PEM")
    if any(label.endswith(b"PRIVATE KEY") for label in others):
        return NotUnderstood(
            "holds a private key and no certificate",
            hint="the key's file may have been named in place of the certificate's",
        )
    if any(label.endswith(b"CERTIFICATE REQUEST") for label in others):
        return NotUnderstood(
            "holds a certificate request and no certificate",
            hint="the certificate is what the CA sends back for it",
        )
    if {b"PKCS7", b"CMS"} & set(others):
        return NotUnderstood(
            "is PKCS#7, which servers do not read",
            hint="convert it: openssl pkcs7 -print_certs -in FILE -out FILE.pem",
        )
    if others:
        return NotUnderstood(f"holds no certificate, only {others[0].decode()}")
    return _no_pem(data)


def _no_pem(data: bytes) -> NotUnderstood:
    if data.startswith(UTF16):
        return NotUnderstood(
            "is UTF-16 text, which servers do not read",
            hint="convert it: iconv -f UTF-16 -t ASCII FILE > FILE.pem",
        )
    if not data.startswith(DER_SEQUENCE):
        return NotUnderstood(
            "holds no PEM certificate", hint="expected lines that begin -----BEGIN CERTIFICATE-----"
        )
    try:
        first, _ = der.read_first(data)
    except der.NotDER:
        return NotUnderstood("holds no PEM certificate, and DER that is cut short or broken")
    if first.content.startswith(PKCS12_VERSION):
        return NotUnderstood(
            "is PKCS#12, not PEM",
            hint="convert it: openssl pkcs12 -nokeys -in FILE -out FILE.pem",
        )
    return NotUnderstood(
        "is DER, not PEM", hint="convert it: openssl x509 -inform DER -in FILE -out FILE.pem"
    )


def encoded(certificate: Certificate) -> bytes:
    """Return `certificate` as it is signed."""
    return certificate.public_bytes(Encoding.DER)
