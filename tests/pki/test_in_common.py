"""One response about several certificates, wherever among them it is kept."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from staplecfg.model.settings import Floors
from staplecfg.model.verdict import Good
from staplecfg.pki.in_common import in_common
from staplecfg.pki.judge import Purpose, judge
from tests.support.authority import Authority, Issued
from tests.support.chains import chain_of

if TYPE_CHECKING:
    from staplecfg.model.staple import Staple

NOW = datetime(2026, 1, 15, 12, tzinfo=timezone.utc)
DAY = timedelta(days=1)
AUTHORITY = Authority.create()
RSA, EC, NEW = (AUTHORITY.leaf(["a.example"], key=key) for key in ("rsa", "ec", "rsa"))


def about(*issued: Issued, days: int = 7) -> bytes:
    first, *others = issued
    until = NOW + days * DAY
    also = [AUTHORITY.single(each, now=NOW - DAY) for each in others]
    return AUTHORITY.respond(first, now=NOW - DAY, next_update=until, also=also)


def kept(issued: Issued, der: bytes | None) -> Staple | None:
    if der is None:
        return None
    issuer = AUTHORITY.intermediate.cert
    judged = judge(der, issued.cert, issuer, now=NOW, purpose=Purpose.KEPT)
    assert isinstance(judged, Good), judged
    return judged.staple


OLD_PAIR, NEW_PAIR = about(RSA, EC), about(NEW, EC)


@pytest.mark.parametrize(
    ("rsa", "ec", "found"),
    [
        pytest.param(None, None, None, id="nothing"),
        pytest.param(about(RSA), about(EC), None, id="each its own"),
        pytest.param(None, about(EC), None, id="one has none"),
        pytest.param(OLD_PAIR, OLD_PAIR, OLD_PAIR, id="the same under both"),
        pytest.param(OLD_PAIR, NEW_PAIR, OLD_PAIR, id="under the first"),
        pytest.param(about(RSA), OLD_PAIR, OLD_PAIR, id="under the second"),
        pytest.param(OLD_PAIR, None, OLD_PAIR, id="under one that alone has any"),
        pytest.param(about(RSA, EC, days=-1), about(EC), None, id="one that has ended"),
    ],
)
def test_it_is_found_under_any_of_them_and_judged_for_each(rsa, ec, found):
    chains = [chain_of(RSA), chain_of(EC)]

    common = in_common(chains, [kept(RSA, rsa), kept(EC, ec)], now=NOW, floors=Floors())

    if found is None:
        assert common == ()
    else:
        assert [each.der for each in common] == [found, found]
        assert [each.fingerprint for each in common] == [RSA.sha256, EC.sha256]


def test_of_a_pair_whose_one_is_replaced_both_have_what_is_theirs():
    """What is kept of the one that stays is about the new pair already."""
    stays = kept(EC, NEW_PAIR)

    for issued, der in ((RSA, OLD_PAIR), (NEW, NEW_PAIR)):
        chains = [chain_of(issued), chain_of(EC)]
        common = in_common(chains, [kept(issued, der), stays], now=NOW, floors=Floors())
        assert {each.der for each in common} == {der}


def test_where_an_issuer_is_not_known_nothing_can_be_told():
    bare = chain_of(Issued(RSA.cert, RSA.key))
    staples = [kept(RSA, OLD_PAIR), kept(EC, NEW_PAIR)]

    assert in_common([bare, chain_of(EC)], staples, now=NOW, floors=Floors()) == ()
