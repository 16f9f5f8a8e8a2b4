"""The local responder is killed: Apache goes on, and has staples again as soon as it is back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.apache_laboratory import ApacheLaboratory, apache_laboratory
from tests.support.serve_process import serving

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.system

TIMED_OUT = "(70007)"
"""APR_TIMEUP, as httpd's log has it where a responder did not answer in time."""


@pytest.fixture
def served() -> Iterator[ApacheLaboratory]:
    with apache_laboratory("responder") as watched:
        yield watched


def kill(watched: ApacheLaboratory) -> None:
    """Kill the local responder, as the kernel does when memory is short."""
    assert watched.served is not None
    watched.served.kill()
    watched.served.wait()


def come_back(watched: ApacheLaboratory) -> None:
    """Start the local responder again; it ends with the laboratory."""
    watched.served = watched.until_left.enter_context(serving(watched.lab, watched.lab.serve))


def test_killed_under_load_handshakes_go_on_and_the_staples_come_back_with_it(served, capsys):
    refused_by_us = served.lab.apache.log.count("AH01974")

    killed = served.through(lambda: kill(served))
    without = served.through(served.lab.apache.graceful)
    still_without = served.count()
    log = served.lab.apache.log
    back = served.through(lambda: come_back(served))
    after = served.count()

    # What Apache has in its cache outlives the responder; after a reload nobody has any.
    assert killed.flawless, killed
    for counted in (without, still_without):
        assert counted.wrong == counted.refused == 0, counted
        assert counted.unstapled > 0
    assert still_without.unstapled == still_without.handshakes
    # Nobody waited: a port where nothing listens is no responder that says nothing.
    assert log.count("AH01974") - refused_by_us >= still_without.unstapled
    assert TIMED_OUT not in log
    assert back.wrong == back.refused == 0, back
    assert after.flawless, after
    with capsys.disabled():
        print(  # noqa: T201 - for whoever reads what CI has seen
            f"\nserve killed: the slowest of {without.handshakes} handshakes through a reload took"
            f" {without.slowest * 1000:.0f} ms, of {still_without.handshakes} after it"
            f" {still_without.slowest * 1000:.0f} ms, with it back {after.slowest * 1000:.0f} ms"
        )
