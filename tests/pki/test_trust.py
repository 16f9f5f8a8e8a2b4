from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import pytest

from staplecfg.model.chain import Chain
from staplecfg.pki.chain import Trusted, Untrusted, read_chain, trust, with_issuer
from tests.support.authority import Authority, issue, pem, private_key

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

NOW = datetime(2026, 1, 15, 12, 0, tzinfo=timezone.utc)
YEAR = timedelta(days=365)

HONEST = Authority.create()
NAMESAKE = Authority.create(keys="stolen")
STRANGER = Authority.create("Stranger")
AGED = Authority.create("Aged", intermediate_not_after=NOW - YEAR)
SHOP = HONEST.leaf(["shop.example"])
SELF = issue("self", private_key("ec", "self"), None)


def chain(*certificates: Certificate) -> Chain:
    found = read_chain(pem(*certificates), PurePosixPath("/shop.pem"))

    assert isinstance(found, Chain)
    return found


WHOLE = chain(SHOP.cert, HONEST.intermediate.cert)


@pytest.mark.parametrize(
    ("present", "root"),
    [
        pytest.param(WHOLE, HONEST.root, id="leaf and intermediate"),
        pytest.param(
            chain(SHOP.cert, STRANGER.root.cert, HONEST.root.cert, HONEST.intermediate.cert),
            HONEST.root,
            id="out of order, among strangers",
        ),
        pytest.param(chain(HONEST.leaf(issuer=HONEST.root).cert), HONEST.root, id="of the root"),
        pytest.param(chain(SHOP.cert), HONEST.intermediate, id="its issuer is a root of ours"),
        pytest.param(chain(SELF.cert), SELF, id="itself a root of ours"),
        pytest.param(
            chain(
                AGED.leaf().cert,
                AGED.intermediate.cert,
                STRANGER.cross_sign(AGED.intermediate).cert,
            ),
            STRANGER.root,
            id="around an expired twin",
        ),
    ],
)
def test_a_chain_that_reaches_a_root_is_trusted(present, root):
    assert trust(present, [root.cert], NOW) == Trusted(root.cert)


@pytest.mark.parametrize(
    ("present", "roots", "problem"),
    [
        pytest.param(WHOLE, [], "no roots", id="no roots"),
        pytest.param(chain(SHOP.cert), [HONEST.root], "neither in the file", id="no intermediate"),
        pytest.param(WHOLE, [STRANGER.root], "neither in the file", id="another root"),
        pytest.param(WHOLE, [NAMESAKE.root], "another key", id="a root of the same name"),
        pytest.param(
            chain(SHOP.cert, NAMESAKE.intermediate.cert),
            [HONEST.root],
            "another key",
            id="namesake",
        ),
        pytest.param(
            chain(AGED.leaf().cert, AGED.intermediate.cert),
            [AGED.root],
            '"CN=Aged Intermediate" expired',
            id="an expired intermediate",
        ),
        pytest.param(
            chain(HONEST.leaf(not_after=NOW - YEAR).cert, HONEST.intermediate.cert),
            [HONEST.root],
            '"CN=www.example" expired',
            id="an expired leaf",
        ),
        pytest.param(
            chain(HONEST.leaf(not_before=NOW + YEAR).cert, HONEST.intermediate.cert),
            [HONEST.root],
            "is not valid before",
            id="a leaf not valid yet",
        ),
        pytest.param(chain(SELF.cert), [HONEST.root], "signed itself", id="signed by itself"),
        pytest.param(
            chain(
                HONEST.leaf(["victim.example"], issuer=SHOP).cert,
                SHOP.cert,
                HONEST.intermediate.cert,
            ),
            [HONEST.root],
            "cA",
            id="issued by a customer of the CA",
        ),
        pytest.param(
            chain(HONEST.leaf(digest="sha1").cert, HONEST.intermediate.cert),
            [HONEST.root],
            "signed by ECDSA with SHA-1",
            id="signed with SHA-1",
        ),
    ],
)
def test_a_chain_that_does_not_is_not_and_says_where_the_way_ends(present, roots, problem):
    verdict = trust(present, [root.cert for root in roots], NOW)

    assert isinstance(verdict, Untrusted)
    assert problem in verdict.problem


def test_an_issuer_handed_in_does_not_make_the_file_complete():
    helped = with_issuer(chain(SHOP.cert), [HONEST.intermediate.cert])

    assert isinstance(trust(helped, [HONEST.root.cert], NOW), Untrusted)
