"""An RSA and an ECDSA certificate in one virtual host: each handshake has its own staple."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support import aging
from tests.support.apache_laboratory import ApacheLaboratory, apache_laboratory, trouble
from tests.support.count import of_both_keys
from tests.support.nginx import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.authority import Issued

pytestmark = pytest.mark.system

NAME = "shop.example"


@pytest.fixture(scope="module", params=["responder", "mod_md"])
def two(request: pytest.FixtureRequest) -> Iterator[ApacheLaboratory]:
    with apache_laboratory(request.param, names=[NAME], keys=("rsa", "ec")) as watched:
        watched.crowd = of_both_keys(watched.crowd)
        yield watched


def certificates(watched: ApacheLaboratory) -> tuple[Issued, Issued]:
    """Return the RSA and the ECDSA one."""
    return watched.lab.issued[NAME], watched.lab.issued[f"{NAME}-ec"]


def renewed_and_reloaded(watched: ApacheLaboratory) -> None:
    """Have Apache serve what falls due, and then what takes its place."""
    watched.lab.apache.graceful()
    ended = watched.lab.cli("warm")
    assert ended.status == 0, ended
    watched.lab.apache.graceful()


def test_each_has_its_own_from_the_start_and_through_reloads(two):
    apache = two.lab.apache
    apache.stop()

    from_start = two.through(apache.start)
    reloaded = two.through(apache.graceful)

    assert from_start.never_without, from_start
    assert reloaded.flawless, reloaded
    assert reloaded.presented == {issued.sha256 for issued in certificates(two)}
    assert reloaded.stapled == two.stored()
    assert len(two.stored()) == 2


def test_each_has_its_own_through_the_renewal_of_both(two):
    two.age()
    old = two.stored()

    with trouble(two.lab.responder, delay=1.0):
        renewed = two.through(lambda: renewed_and_reloaded(two))
    after = two.count()

    assert renewed.flawless, renewed
    assert after.flawless, after
    assert after.stapled.isdisjoint(old)
    assert len(after.stapled) >= 2


def test_the_one_that_has_none_goes_without_and_never_with_the_others(two):
    rsa, ecdsa = certificates(two)
    expired = aging.response(two.lab, rsa, since=aging.DAY * 5, until=-aging.DAY)
    with trouble(two.lab.responder, busy=True):
        (two.lab.state / "store" / f"{rsa.sha256}.der").write_bytes(expired)
        two.forget(rsa)

        counted = two.through(two.lab.apache.graceful)
        after = two.count()

    assert counted.wrong == counted.refused == 0, counted
    assert after.wrong == after.refused == 0, after
    assert after.unstapled == two.handshakes / 2
    assert len(after.stapled) == 1
    two.lab.cli("warm", "--force")
    wait_until(lambda: two.count().flawless, "both to have a staple again")
    assert {issued.sha256 for issued in (rsa, ecdsa)} == two.count().presented


def test_one_that_is_exchanged_never_has_the_old_ones_whoever_reloads(two):
    old, ecdsa = certificates(two)
    new = two.lab.authority.leaf([NAME], responders=[two.lab.responder.url], key="rsa")
    two.lab.issued[NAME] = new
    two.lab.responder.start(two.lab.issued.values())

    def exchanged() -> None:
        new.write(two.lab.root / "pki", NAME)
        two.lab.apache.graceful()
        two.lab.cli("warm")

    counted = two.through(exchanged)

    assert counted.wrong == counted.refused == 0, counted
    wait_until(lambda: two.count().flawless, "the new one to have its staple")
    assert two.count().presented == {new.sha256, ecdsa.sha256}
    assert old.sha256 in counted.presented
