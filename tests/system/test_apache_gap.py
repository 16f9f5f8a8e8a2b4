"""Whatever the CA's responder does, every handshake with Apache has its staple, and at once.

Four clients make full handshakes without a pause, in TLS 1.2 and 1.3, with two
sites; an error that is stapled (`tryLater`), and a response that is expired or
another certificate's, count as none at all. How long the slowest handshake took
is printed, beside plain `SSLUseStapling on`: a laboratory in which that does
well would prove nothing.
"""

from __future__ import annotations

import contextlib
import functools
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.apache_laboratory import OFF, PLAIN, ApacheLaboratory, apache_laboratory, trouble
from tests.support.counted_table import CountedTable
from tests.support.nginx import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tests.support.count import Counted

pytestmark = pytest.mark.system

TROUBLES: Mapping[str, dict[str, Any]] = {
    "1 s slow": {"delay": 1.0},
    "503": {"busy": True},
    "hanging": {"hangs": True},
}
each_trouble = pytest.mark.parametrize("ca", TROUBLES)
each_delivery = pytest.mark.parametrize("delivery", ["responder", "mod_md"])

EVENTS: Mapping[str, Callable[[ApacheLaboratory], None]] = {
    "start": lambda watched: watched.lab.apache.start(),
    "graceful": lambda watched: watched.lab.apache.graceful(),
    "restart": lambda watched: watched.lab.apache.hang_up(),
}
INTERRUPTED = frozenset({"start", "restart"})
"""Nobody is let in for a moment, whoever was in the middle of a handshake has to come again."""


@pytest.fixture(scope="module")
def laboratories() -> Iterator[Callable[[str], ApacheLaboratory]]:
    """Each is built when it is first asked for, and used by all that come after."""
    built: dict[str, ApacheLaboratory] = {}
    with contextlib.ExitStack() as stack:

        def of(delivery: str) -> ApacheLaboratory:
            if delivery not in built:
                built[delivery] = stack.enter_context(apache_laboratory(delivery))
            return built[delivery]

        yield of


@pytest.fixture(scope="module")
def table(request: pytest.FixtureRequest) -> Iterator[CountedTable]:
    filled = CountedTable()
    yield filled
    capturing = request.config.pluginmanager.getplugin("capturemanager")
    with capturing.global_and_fixture_disabled():
        print(filled)  # noqa: T201 - for whoever reads what CI has seen


def events(watched: ApacheLaboratory, ca: str) -> Iterator[tuple[str, Counted]]:
    """Yield what visitors got through each event, the CA being in trouble from before it."""
    for event, happens in EVENTS.items():
        if event == "start":
            watched.lab.apache.stop()
        with trouble(watched.lab.responder, **TROUBLES[ca]):
            counted = watched.through(functools.partial(happens, watched))
        yield event, counted


@each_trouble
def test_plain_stapling_asks_within_handshakes_and_makes_up_an_error(laboratories, table, ca: str):
    watched = laboratories(PLAIN)
    responder = watched.lab.responder

    for event, counted in events(watched, ca):
        table.add(ca, PLAIN, event, counted)
        if ca != "1 s slow":
            assert counted.try_later > 0, counted

    watched.lab.apache.graceful()
    wait_until(lambda: watched.count().flawless, "mod_ssl to have what the CA, well again, gives")
    with trouble(responder, **TROUBLES[ca]):
        asked = responder.asked
        counted = watched.through(lambda: wait_until(lambda: responder.asked > asked, "a renewal"))
    table.add(ca, PLAIN, "renewal", counted)
    if ca != "1 s slow":
        assert counted.try_later > 0, counted


def test_without_stapling_there_is_no_staple_and_a_reload_has_its_own_delays(laboratories, table):
    watched = laboratories(OFF)

    for event, counted in events(watched, "1 s slow"):
        table.add("-", OFF, event, counted)
        assert counted.unstapled == counted.handshakes - counted.refused > 0
    assert watched.lab.responder.asked == 0


@each_trouble
@each_delivery
def test_nobody_goes_without_a_good_staple_or_waits_for_the_ca(
    laboratories, table, delivery: str, ca: str
):
    watched = laboratories(delivery)
    asked = watched.lab.responder.asked

    for event, counted in events(watched, ca):
        table.add(ca, delivery, event, counted)
        assert counted.never_without, counted
        assert counted.handshakes - counted.refused >= watched.handshakes
        assert not any("no answer within" in problem for problem in counted.problems), counted
        if event not in INTERRUPTED:
            assert counted.flawless, counted
    if delivery == "responder":
        assert watched.lab.responder.asked == asked, "no handshake asks the CA"


@each_trouble
@each_delivery
def test_a_staple_that_falls_due_is_renewed_or_stays(laboratories, table, delivery: str, ca: str):
    watched = laboratories(delivery)
    watched.age()
    old, asked = watched.stored(), watched.lab.responder.asked

    with trouble(watched.lab.responder, **TROUBLES[ca]):
        counted = watched.through(lambda: reloaded_and_renewed(watched))
        watched.lab.apache.graceful()
        after = watched.count()

    table.add(ca, delivery, "renewal", counted)
    assert counted.flawless, counted
    assert after.flawless, after
    assert counted.stapled & old
    assert watched.lab.responder.asked > asked, "nothing fell due"
    renewed = TROUBLES[ca].get("delay") is not None
    assert watched.stored().isdisjoint(old) is renewed
    assert after.stapled.isdisjoint(old) is renewed


def test_mod_md_renews_by_itself_and_nobody_goes_without(laboratories, table):
    watched = laboratories("mod_md")
    watched.lab.apache.stop()
    watched.age()
    old = watched.stored()

    with trouble(watched.lab.responder, **TROUBLES["1 s slow"]):
        counted = watched.through(lambda: renews_itself(watched, old))

    table.add("1 s slow", "mod_md", "its own", counted)
    assert counted.never_without, counted
    assert counted.stapled & old


def reloaded_and_renewed(watched: ApacheLaboratory) -> None:
    """Make Apache forget what it had in its cache, and what is in the store be renewed."""
    watched.lab.apache.graceful()
    warm(watched)


def warm(watched: ApacheLaboratory) -> None:
    """Run `staplecfg warm`, which asks the CA; one that hangs it gives up soon."""
    settings = watched.lab.root / "settings.toml"
    hangs = watched.lab.responder.hangs
    settings.write_text("responders.total = 2\n" if hangs else "", encoding="utf-8")
    watched.lab.cli("warm", "--settings", str(settings))


def renews_itself(watched: ApacheLaboratory, old: set[str]) -> None:
    """Start it with staples that fall due, and wait until it serves others.

    The child that has asked does so at once; the others look once an hour as
    long as a response has a day to live (mod_md 2.6).
    """
    watched.lab.apache.start()
    wait_until(lambda: bool(watched.count().stapled - old), "mod_md to renew")
