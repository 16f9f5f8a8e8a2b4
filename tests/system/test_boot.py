"""Boot with DNS black-holed: nginx looks up the responders of plain stapling, and waits."""

from __future__ import annotations

import sys
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from tests.support.blackhole import blackhole, impossible
from tests.support.lab import Lab
from tests.support.nginx import wait_until
from tests.support.responder import Responder

if TYPE_CHECKING:
    from tests.support.responder import Call

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(impossible() is not None, reason=f"no boot to play: {impossible()}"),
]

NAME = "shop.example"
URL = "http://ocsp.ca.example/"
"""By name, as in every certificate of a public authority."""
LIFE = timedelta(seconds=12)
SLOW = 4.0
"""Seconds; one question that nobody answers costs 5 by default (resolv.conf(5))."""
QUICK = 2.0
"""Seconds, generously: nginx needs a few hundredths, and one lookup would be more than this."""


def short_lived(call: Call) -> bool:
    now = call.responder.clock()
    second = timedelta(seconds=1)
    lives = {"this_update": now - second, "produced_at": now - second, "next_update": now + LIFE}
    return call.reply(call.respond(**lives))


@pytest.fixture
def lab(tmp_path):
    with Lab.make(tmp_path / "lab", sites=[]) as made:
        made.add(NAME, responders=[URL])
        yield made


def settings(lab: Lab, responder: Responder) -> list[str]:
    """Write a settings file under which staples may live for seconds; returns the flags."""
    path = lab.root / "staplecfg.toml"
    path.write_text(
        "[responders]\n"
        f'override = {{ "{URL}" = "{responder.url}/" }}\n'
        "[floors]\nleast_life_left = 0\nleast_between_tries = 0\n"
        '[schedule]\nkind = "none"\ninterval = 1\nrun = 1\n'
    )
    return ["--settings", str(path)]


def test_plain_stapling_waits_at_boot_and_ours_never_does(tmp_path, lab):
    site = lab.nginx.prefix / "sites-available" / NAME
    plain = site.read_text()
    with (
        blackhole(tmp_path) as run,
        Responder(lab.authority, mode=short_lived) as responder,
    ):
        flags = settings(lab, responder)

        def boot() -> float:
            seconds, tested = run(lab.nginx.argv("-t"))
            assert tested.returncode == 0, tested.stderr
            return seconds

        assert boot() < QUICK
        site.write_text(plain.replace("server_name", "ssl_stapling on;\n    server_name"))
        assert boot() >= SLOW
        site.write_text(plain)

        applied = lab.apply(*flags)
        assert applied.status == 0, applied
        expires = datetime.now(timezone.utc) + LIFE
        snippet = next(lab.state.glob("nginx/*/staple.conf"))
        assert ".der" in snippet.read_text()
        assert boot() < QUICK

        wait_until(lambda: datetime.now(timezone.utc) > expires, "the staple to expire")
        argv = [sys.executable, "-m", "staplecfg", *lab.arguments("warm", "--offline", *flags)]
        seconds, warmed = run(argv)
        assert warmed.returncode == 1, warmed.stderr  # a staple needs a person
        assert "expired" in warmed.stderr
        assert seconds < SLOW
        assert ".der" not in snippet.read_text()
        assert boot() < QUICK


def test_configured_before_there_is_a_staple_boots_as_quickly(tmp_path, lab):
    assert lab.apply("--config-only").status == 0
    with blackhole(tmp_path) as run:
        seconds, tested = run(lab.nginx.argv("-t"))

    assert tested.returncode == 0, tested.stderr
    assert seconds < QUICK
