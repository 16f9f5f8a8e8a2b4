"""Not one handshake goes unstapled: 4 workers, a responder 200 ms slow, several sites.

The counts are of full handshakes in TLS 1.2 and 1.3. Each is made without
staplecfg too: a laboratory in which nothing goes unstapled would prove nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.count import Crowd
from tests.support.laboratory import Laboratory, laboratory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.count import Counted

pytestmark = pytest.mark.system

ENOUGH = 200

PHASES: dict[str, Callable[[Laboratory], Counted]] = {
    "from the start": Laboratory.from_start,
    "through a reload": Laboratory.through_reload,
    "after a reload": Laboratory.after_reload,
    "restarted in an outage": Laboratory.from_start_in_outage,
}
each_phase = pytest.mark.parametrize("phase", PHASES.values(), ids=PHASES.keys())


@pytest.fixture(scope="module")
def plain(tmp_path_factory) -> Iterator[Laboratory]:
    """As people run it."""
    with laboratory(tmp_path_factory.mktemp("plain")) as watched:
        watched.lab.nginx.start()
        yield watched


@pytest.fixture(scope="module")
def applied(tmp_path_factory) -> Iterator[Laboratory]:
    """The same after `staplecfg apply`."""
    with laboratory(tmp_path_factory.mktemp("applied")) as watched:
        watched.lab.nginx.start()
        watched.do("apply", "--unscheduled")
        yield watched


@each_phase
def test_without_staplecfg_visitors_go_unstapled(plain: Laboratory, phase):
    counted = phase(plain)

    assert counted.handshakes >= ENOUGH
    assert counted.unstapled > 0
    assert (counted.wrong, counted.refused) == (0, 0)


@each_phase
def test_with_staplecfg_every_visitor_gets_a_good_staple(applied: Laboratory, phase):
    counted = phase(applied)

    assert counted.handshakes >= ENOUGH
    assert counted.flawless, counted


def test_right_after_apply_every_visitor_gets_a_good_staple(tmp_path):
    with laboratory(tmp_path) as watched:
        watched.lab.nginx.start()
        watched.do("apply", "--unscheduled")

        counted = watched.count()

    assert counted.handshakes >= ENOUGH
    assert counted.flawless, counted


def test_while_apply_works_nobody_is_turned_away_or_given_a_wrong_staple(tmp_path):
    with laboratory(tmp_path, lines="") as watched:
        watched.lab.nginx.start()
        with Crowd(watched.crowd, least=ENOUGH) as crowd:
            watched.do("apply", "--unscheduled")

    assert (crowd.counted.wrong, crowd.counted.refused) == (0, 0), crowd.counted


@pytest.mark.parametrize("workers", [1, 2])
def test_the_number_of_workers_does_not_matter(tmp_path, workers: int):
    with laboratory(tmp_path, workers=workers) as watched:
        watched.lab.nginx.start()
        watched.do("apply", "--unscheduled")

        counted = watched.through_reload()

    assert counted.flawless, counted


def test_through_the_renewal_of_the_staples_every_visitor_gets_a_good_one(applied: Laboratory):
    asked = applied.lab.responder.asked

    with Crowd(applied.crowd, least=ENOUGH) as crowd:
        applied.do("warm", "--force")

    assert applied.lab.responder.asked > asked
    assert crowd.counted.flawless, crowd.counted


def test_through_the_renewal_of_a_certificate_every_visitor_gets_a_good_staple(tmp_path):
    with laboratory(tmp_path) as watched:
        watched.lab.nginx.start()
        watched.do("apply", "--unscheduled")

        with Crowd(watched.crowd, least=ENOUGH) as crowd:
            new = watched.lab.renew("blog.example")
            watched.do("warm")

        renewed = watched.count()

    assert crowd.counted.flawless, crowd.counted
    assert renewed.flawless, renewed
    assert new.sha256 in renewed.presented


def test_through_an_outage_during_renewal_the_old_staples_stay(applied: Laboratory):
    applied.lab.responder.down()
    try:
        with Crowd(applied.crowd, least=ENOUGH) as crowd:
            applied.lab.process("warm", "--force")
    finally:
        applied.lab.responder.up()

    assert crowd.counted.flawless, crowd.counted


def test_remove_gives_back_every_byte(tmp_path):
    with laboratory(tmp_path) as watched:
        watched.lab.nginx.start()
        before = watched.lab.files()
        watched.do("apply", "--unscheduled")
        assert watched.lab.files() != before

        watched.do("remove")

        assert watched.lab.files() == before
