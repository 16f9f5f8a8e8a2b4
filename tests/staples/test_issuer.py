from __future__ import annotations

from datetime import datetime, timedelta, timezone
from ipaddress import ip_network
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from staplecfg.model.settings import Responders
from staplecfg.model.verdict import Unreachable
from staplecfg.staples.issuer import fetch_issuer
from tests.support.authority import Authority, pem
from tests.support.responder import Responder, never_answer

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from tests.support.responder import Call

NOW = datetime(2026, 1, 15, tzinfo=timezone.utc)
AUTHORITY = Authority.create()
ISSUER = AUTHORITY.intermediate.cert
NAMESAKE = Authority.create(keys="other").intermediate.cert
DER = ISSUER.public_bytes(Encoding.DER)
SETTINGS = Responders(allow_networks=(ip_network("127.0.0.1/32"),), total=timedelta(seconds=20))


def bag(*certificates: Certificate, encoding: Encoding = Encoding.DER) -> bytes:
    return pkcs7.serialize_certificates(list(certificates), encoding)


def fetched(body: bytes, settings: Responders = SETTINGS) -> Certificate | Unreachable:
    def mode(call: Call) -> bool:
        return call.reply(body, kind="application/octet-stream")

    with Responder(AUTHORITY, mode=mode) as host:
        leaf = AUTHORITY.leaf(["a.example"], ca_issuers=[f"{host.url}/issuer.crt"])
        return fetch_issuer(leaf.cert, clock=lambda: NOW, settings=settings, private=False)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(DER, id="DER"),
        pytest.param(pem(ISSUER), id="PEM"),
        pytest.param(bag(ISSUER), id="PKCS #7"),
        pytest.param(bag(AUTHORITY.root.cert, NAMESAKE, ISSUER), id="PKCS #7 with others"),
        pytest.param(bag(ISSUER, encoding=Encoding.PEM), id="PKCS #7 in PEM"),
        pytest.param(pem(NAMESAKE, ISSUER), id="PEM with others"),
    ],
)
def test_the_issuer_is_found_in_every_form_it_is_served_in(body):
    assert fetched(body) == ISSUER


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(NAMESAKE.public_bytes(Encoding.DER), id="same name, other key"),
        pytest.param(AUTHORITY.root.cert.public_bytes(Encoding.DER), id="the root"),
        pytest.param(DER[:-1], id="truncated"),
        pytest.param(b"<html>", id="a page"),
        pytest.param(
            b"-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n", id="no PEM"
        ),
        pytest.param(b"\x30" * 65536, id="noise"),
    ],
)
def test_what_did_not_issue_the_leaf_is_not_taken(body):
    result = fetched(body)

    assert isinstance(result, Unreachable)
    assert "holds no certificate that issued this one" in result.problem


def test_the_address_is_checked_here_too():
    result = fetched(DER, Responders())

    assert isinstance(result, Unreachable)
    assert "loopback" in result.problem
    assert result.hint is not None


def test_the_time_is_bounded_here_too():
    with Responder(AUTHORITY, mode=never_answer) as host:
        leaf = AUTHORITY.leaf(["a.example"], ca_issuers=[host.url, "https://o.example/"])
        hurried = Responders(SETTINGS.allow_networks, total=timedelta(seconds=0.2))
        result = fetch_issuer(leaf.cert, clock=lambda: NOW, settings=hurried, private=False)

    assert isinstance(result, Unreachable)
    assert "no complete answer within 0.2 s; https://o.example/: " in result.problem


def test_a_certificate_that_names_no_place_is_said_so():
    leaf = AUTHORITY.leaf(["a.example"])

    result = fetch_issuer(leaf.cert, clock=lambda: NOW, settings=SETTINGS, private=False)

    assert result == Unreachable("", "the certificate does not say where its issuer's is")
