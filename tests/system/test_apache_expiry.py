"""What has come to its end is served by nobody: mod_ssl and mod_md by themselves would serve it."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.support import aging
from tests.support.apache_laboratory import ApacheLaboratory, apache_laboratory, trouble
from tests.support.count import Counted, count, visitors
from tests.support.nginx import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.system

OURS, BY_HAND = "shop.example", "hand.example"

BY_HAND_LINES = """
SSLUseStapling on
SSLStaplingReturnResponderErrors off
SSLStaplingFakeTryLater off
SSLStaplingForceURL http://127.0.0.1:{port}/
"""
"""What is often found: with the skew of 300 s that mod_ssl allows responses by itself."""


def keep_until(watched: ApacheLaboratory, left: timedelta) -> None:
    """Make the store hold staples that have been good for five days and have `left` to live."""
    for issued in watched.lab.issued.values():
        aging.keep(watched.lab, issued, since=aging.DAY * 5, until=left)


def test_an_expired_staple_in_the_store_reaches_nobody():
    with apache_laboratory("responder") as served:
        with trouble(served.lab.responder, busy=True):
            keep_until(served, -timedelta(seconds=1))
            counted = served.through(served.lab.apache.graceful)
            after = served.count()

        assert counted.wrong == counted.refused == 0, counted
        assert after.unstapled == after.handshakes

        assert served.lab.cli("warm").status == 0
        wait_until(lambda: served.count().flawless, "the renewed ones to be served")


@pytest.fixture
def ending() -> Iterator[ApacheLaboratory]:
    """Two sites with the same responder: one by staplecfg, and one by somebody's hand."""
    with apache_laboratory("responder", names=[OURS, BY_HAND]) as watched:
        lab = watched.lab
        lab.apache.site(
            BY_HAND,
            listen=f"127.0.0.1:{lab.port}",
            certificates=[
                (lab.root / "pki" / f"{BY_HAND}.pem", lab.root / "pki" / f"{BY_HAND}.key")
            ],
            lines=BY_HAND_LINES.format(port=lab.serve),
        )
        yield watched


def test_a_staple_that_ends_while_apache_has_it_is_served_to_its_end_and_not_after(ending):
    counted = through_the_end(ending)

    ours = counted.of(OURS)
    assert counted.refused == 0
    assert ours, "nobody came after its end"
    assert all(what.endswith("unstapled") for what in ours), ours
    # The same response from the same responder, with what mod_ssl does by itself.
    by_hand = counted.of(BY_HAND)
    assert any("expired" in what for what in by_hand), by_hand

    assert ending.lab.cli("warm", "--site", OURS).status == 0
    ours_only = visitors(ending.lab.port, [OURS])
    wait_until(lambda: count(ours_only, 8).flawless, "the renewed one to be served")


def through_the_end(watched: ApacheLaboratory) -> Counted:
    """Count visitors from when Apache has staples that live for seconds until these are over."""
    for seconds in (4, 8, 16, 32):  # the first that leaves this machine the time to serve them
        ends = time.monotonic() + seconds
        keep_until(watched, timedelta(seconds=seconds))
        watched.lab.apache.graceful()
        if count(watched.crowd, len(watched.crowd)).flawless:
            break
    else:
        raise AssertionError("not even half a minute is enough to be served")
    return watched.through(lambda: time.sleep(max(0.0, ends + 1 - time.monotonic())))


def test_mod_md_gives_up_what_would_end_before_anybody_looks_again():
    """It would serve that for ever: mod_md 2.6 does not look at the end of what it has."""
    with apache_laboratory("mod_md") as watched:
        watched.lab.apache.stop()
        keep_until(watched, timedelta(minutes=30))
        for issued in watched.lab.issued.values():
            watched.put(issued)
        with trouble(watched.lab.responder, busy=True):
            watched.lab.apache.start()
            before = watched.count()
            counted = watched.through(lambda: watched.lab.cli("warm"))
            after = watched.count()

        assert before.flawless, before
        assert counted.wrong == counted.refused == 0, counted
        assert after.unstapled == after.handshakes
