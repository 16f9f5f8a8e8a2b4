from __future__ import annotations

import hashlib
from pathlib import PurePosixPath

import pytest
from cryptography import x509

from staplecfg.model.chain import Chain, NoChain
from staplecfg.pki.chain import issuer_of, order_problems, read_chain, with_issuer
from tests.support.authority import Authority, Issued, issue, pem, private_key

PATH = PurePosixPath("/etc/ssl/shop.pem")
TLS_FEATURE = x509.ObjectIdentifier("1.3.6.1.5.5.7.1.24")
SAN = x509.ObjectIdentifier("2.5.29.17")

HONEST = Authority.create()
NAMESAKE = Authority.create(keys="stolen")
STRANGER = Authority.create("Stranger")
SHOP = HONEST.leaf(["shop.example"])


def chain(*certificates: x509.Certificate) -> Chain:
    found = read_chain(pem(*certificates), PATH)

    assert isinstance(found, Chain), found
    return found


def test_a_chain_says_what_its_leaf_says():
    leaf = HONEST.leaf(
        ["shop.example", "*.shop.example", "192.0.2.1", "2001:db8::1"],
        responders=["http://a.example/", "http://b.example/", "http://a.example/"],
        ca_issuers=["http://c.example/ca.der"],
        must_staple=True,
    )

    found = read_chain(leaf.fullchain + leaf.key_pem, PATH)

    assert found == Chain(
        path=PATH,
        leaf=leaf.cert,
        others=(HONEST.intermediate.cert,),
        issuer=HONEST.intermediate.cert,
        fingerprint=hashlib.sha256(leaf.der).hexdigest(),
        serial=leaf.cert.serial_number,
        names=("shop.example", "*.shop.example", "192.0.2.1", "2001:db8::1"),
        responders=("http://a.example/", "http://b.example/"),
        must_staple=True,
        not_before=leaf.cert.not_valid_before_utc,
        not_after=leaf.cert.not_valid_after_utc,
    )


def test_the_common_name_stands_in_for_names_that_are_missing():
    assert chain(HONEST.leaf([], common_name="old.example").cert).names == ("old.example",)


def test_the_common_name_does_not_count_beside_names():
    assert chain(HONEST.leaf(["a.example"], common_name="b.example").cert).names == ("a.example",)


@pytest.mark.parametrize(
    ("features", "expected"),
    [
        pytest.param([x509.TLSFeatureType.status_request], True, id="status_request"),
        pytest.param([x509.TLSFeatureType.status_request_v2], False, id="status_request_v2"),
        pytest.param(list(x509.TLSFeatureType), True, id="both"),
    ],
)
def test_must_staple_is_status_request_and_nothing_else(features, expected):
    leaf = HONEST.leaf(extensions=[x509.TLSFeature(features)])

    assert chain(leaf.cert).must_staple is expected


@pytest.mark.parametrize(
    "extension",
    [
        pytest.param(
            x509.UnrecognizedExtension(TLS_FEATURE, b"\x30\x03\x02\x01\x63"),
            id="a feature unheard of",
        ),
        pytest.param(x509.UnrecognizedExtension(TLS_FEATURE, b"\x30\x01"), id="a broken extension"),
        pytest.param(x509.UnrecognizedExtension(SAN, b"\x30\x02\x82\x01"), id="broken names"),
    ],
)
def test_a_certificate_that_cannot_be_read_gives_no_chain(extension):
    leaf = HONEST.leaf([], common_name="hostile", extensions=[extension])

    found = read_chain(leaf.fullchain, PATH)

    assert isinstance(found, NoChain)
    assert found.path == PATH
    assert "cannot be read" in found.problem


def test_a_file_that_is_no_pem_gives_no_chain_and_a_hint():
    found = read_chain(SHOP.der, PATH)

    assert isinstance(found, NoChain)
    assert found.hint is not None


@pytest.mark.parametrize(
    "candidates",
    [
        pytest.param([HONEST.intermediate], id="alone"),
        pytest.param([HONEST.root, STRANGER.intermediate, HONEST.intermediate], id="last"),
        pytest.param([NAMESAKE.intermediate, HONEST.intermediate], id="behind a namesake"),
    ],
)
@pytest.mark.parametrize("digest", ["sha256", "sha384", "sha1"])
def test_the_issuer_is_found_by_its_signature(candidates, digest):
    leaf = HONEST.leaf(digest=digest)

    found = issuer_of(leaf.cert, [candidate.cert for candidate in candidates])

    assert found == HONEST.intermediate.cert


@pytest.mark.parametrize(
    "candidates",
    [
        pytest.param([], id="nobody"),
        pytest.param([NAMESAKE.intermediate], id="a namesake"),
        pytest.param([HONEST.root], id="the grand-parent"),
        pytest.param(
            [issue("Another Name", HONEST.intermediate.key, HONEST.root, ca=True)],
            id="the key under another name",
        ),
        pytest.param([SHOP], id="itself"),
    ],
)
def test_who_did_not_issue_the_leaf_is_not_its_issuer(candidates):
    assert issuer_of(SHOP.cert, [candidate.cert for candidate in candidates]) is None


def test_of_cross_signed_twins_either_is_the_issuer():
    twin = STRANGER.cross_sign(HONEST.intermediate)

    assert issuer_of(SHOP.cert, [twin.cert, HONEST.intermediate.cert]) == twin.cert


def test_an_rsa_issuer_is_found():
    authority = Authority.create("Ronald", key="rsa")

    assert chain(authority.leaf().cert, authority.intermediate.cert).issuer is not None


def test_an_issuer_handed_in_is_taken_where_the_file_has_none():
    alone = chain(SHOP.cert)
    assert alone.issuer is None

    found = with_issuer(alone, [STRANGER.root.cert, HONEST.intermediate.cert])

    assert found.issuer == HONEST.intermediate.cert
    assert found.others == ()


def test_a_stranger_handed_in_is_passed_over():
    assert with_issuer(chain(SHOP.cert), [NAMESAKE.intermediate.cert]).issuer is None


def test_the_issuer_in_the_file_is_kept():
    whole = chain(SHOP.cert, HONEST.intermediate.cert)
    twin = STRANGER.cross_sign(HONEST.intermediate)

    assert with_issuer(whole, [twin.cert]) == whole


SUB = HONEST.sub_authority()
DEEP = HONEST.leaf(issuer=SUB)


@pytest.mark.parametrize(
    "present",
    [
        pytest.param([SHOP], id="the leaf alone"),
        pytest.param([SHOP, HONEST.intermediate], id="leaf and intermediate"),
        pytest.param([DEEP, SUB, HONEST.intermediate], id="two intermediates"),
        pytest.param(
            [SHOP, HONEST.intermediate, STRANGER.cross_sign(HONEST.intermediate)], id="twins"
        ),
    ],
)
def test_a_file_in_order_has_no_problem(present: list[Issued]):
    assert order_problems(chain(*(one.cert for one in present))) == ()


@pytest.mark.parametrize(
    ("present", "words"),
    [
        pytest.param([HONEST.intermediate, SHOP], ["leaf must come first"], id="leaf last"),
        pytest.param([DEEP, HONEST.intermediate, SUB], ["comes before"], id="the wrong way round"),
        pytest.param([SHOP, HONEST.intermediate, HONEST.root], ["is a root"], id="with the root"),
        pytest.param(
            [SHOP, STRANGER.intermediate, HONEST.intermediate],
            ["none of the others"],
            id="stranger",
        ),
        pytest.param([SHOP, NAMESAKE.intermediate], ["none of the others"], id="namesake"),
        pytest.param([SHOP, HONEST.intermediate, SHOP], ["2 times"], id="leaf twice"),
        pytest.param(
            [SHOP, HONEST.intermediate, HONEST.intermediate], ["2 times"], id="intermediate twice"
        ),
        pytest.param(
            [SHOP, HONEST.root, HONEST.root, STRANGER.intermediate],
            ["2 times", "is a root", "none of the others"],
            id="everything at once",
        ),
    ],
)
def test_a_file_out_of_order_is_told(present: list[Issued], words: list[str]):
    problems = order_problems(chain(*(one.cert for one in present)))

    assert len(problems) == len(words), problems
    assert all(word in problem for word, problem in zip(words, problems, strict=True))


def test_a_self_signed_leaf_alone_is_in_order():
    assert order_problems(chain(issue("self", private_key("ec", "self"), None).cert)) == ()
