"""What the openssl command says and what we say, about the same bytes."""

from __future__ import annotations

import subprocess
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from staplecfg.model.verdict import Good, Reason, Rejected
from staplecfg.pki.digests import SHA1, SHA256
from staplecfg.pki.judge import judge
from staplecfg.pki.request import request
from tests.support.authority import Authority, pem

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.authority import Issued

NOW = datetime.now(timezone.utc)
VALID = b"V\t491231000000Z\t\t%X\tunknown\t/CN=shop.example\n"
REVOKED = b"R\t491231000000Z\t260101000000Z\t%X\tunknown\t/CN=shop.example\n"


@pytest.fixture(params=["ec", "rsa"])
def authority(request):
    return Authority.create(f"Openssl {request.param}", key=request.param)


@pytest.fixture
def shop(authority):
    return authority.leaf(["shop.example"])


def openssl(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        ["openssl", *arguments], cwd=cwd, check=True, capture_output=True, timeout=60
    )


def answer(directory: Path, shop: Issued, signer: Issued, asked: bytes, index: bytes) -> bytes:
    """Let the openssl command answer the request `asked` from an index of one certificate."""
    (directory / "ca.pem").write_bytes(pem(shop.issuer_cert))
    signer.write(directory, "signer")
    (directory / "asked.der").write_bytes(asked)
    (directory / "index.txt").write_bytes(index % shop.cert.serial_number)
    openssl(
        *("ocsp", "-index", "index.txt", "-CA", "ca.pem", "-reqin", "asked.der", "-ndays", "7"),
        *("-rsigner", "signer.pem", "-rkey", "signer.key", "-respout", "response.der"),
        cwd=directory,
    )
    return (directory / "response.der").read_bytes()


@pytest.mark.parametrize("digest", [SHA1, SHA256], ids=lambda digest: digest.name)
def test_what_openssl_answers_to_our_request_is_good(tmp_path, shop, digest):
    asked = request(shop.cert, shop.issuer_cert, digest)

    der = answer(tmp_path, shop, shop.issuer, asked, VALID)

    verdict = judge(der, shop.cert, shop.issuer_cert, now=datetime.now(timezone.utc))
    assert isinstance(verdict, Good), verdict
    assert verdict.staple.next_update - verdict.staple.this_update == timedelta(days=7)


def test_what_a_delegate_answers_with_openssl_is_good(tmp_path, authority, shop):
    asked = request(shop.cert, shop.issuer_cert)

    der = answer(tmp_path, shop, authority.delegate(), asked, VALID)

    verdict = judge(der, shop.cert, shop.issuer_cert, now=datetime.now(timezone.utc))
    assert isinstance(verdict, Good), verdict
    assert verdict.staple.signer == "CN=Responder"


@pytest.mark.parametrize(
    ("index", "reason"),
    [(REVOKED, Reason.REVOKED), (VALID.replace(b"%X", b"77%X"), Reason.UNKNOWN)],
    ids=["revoked", "unknown"],
)
def test_what_openssl_says_of_a_bad_certificate_is_told(tmp_path, shop, index, reason):
    asked = request(shop.cert, shop.issuer_cert)

    der = answer(tmp_path, shop, shop.issuer, asked, index)

    verdict = judge(der, shop.cert, shop.issuer_cert, now=datetime.now(timezone.utc))
    assert isinstance(verdict, Rejected)
    assert verdict.reason is reason


def test_our_request_is_the_one_openssl_makes(tmp_path, shop):
    (tmp_path / "ca.pem").write_bytes(pem(shop.issuer_cert))
    shop.write(tmp_path, "shop")
    asked = ("-issuer", "ca.pem", "-cert", "shop.pem", "-no_nonce", "-reqout", "asked.der")

    openssl("ocsp", *asked, cwd=tmp_path)

    assert request(shop.cert, shop.issuer_cert) == (tmp_path / "asked.der").read_bytes()


@pytest.mark.parametrize("by", ["key", "name"])
def test_what_the_factory_calls_honest_openssl_believes(tmp_path, authority, shop, by):
    (tmp_path / "root.pem").write_bytes(pem(authority.root.cert))
    (tmp_path / "ca.pem").write_bytes(pem(shop.issuer_cert))
    shop.write(tmp_path, "shop")
    der = authority.respond(shop, now=NOW, signer=authority.delegate(), by=by)
    (tmp_path / "response.der").write_bytes(der)

    said = openssl(
        *("ocsp", "-respin", "response.der", "-CAfile", "root.pem"),
        *("-issuer", "ca.pem", "-cert", "shop.pem"),
        cwd=tmp_path,
    )

    assert b"Response verify OK" in said.stderr
    assert b"shop.pem: good" in said.stdout
    assert isinstance(judge(der, shop.cert, shop.issuer_cert, now=NOW), Good)


def test_the_certificates_of_the_factory_are_what_they_look_like(tmp_path, shop):
    (tmp_path / "shop.der").write_bytes(shop.cert.public_bytes(Encoding.DER))

    said = openssl(
        "x509",
        "-inform",
        "DER",
        "-in",
        "shop.der",
        "-noout",
        "-ext",
        "subjectAltName",
        cwd=tmp_path,
    )

    assert b"DNS:shop.example" in said.stdout
