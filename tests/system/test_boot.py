"""Boot with DNS black-holed: nginx looks up the responders of plain stapling, and waits."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.aging import DAY, keep
from tests.support.blackhole import blackhole, impossible
from tests.support.lab import Lab

if TYPE_CHECKING:
    from tests.support.blackhole import Waited

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(impossible() is not None, reason=f"no boot to play: {impossible()}"),
]

NAME = "shop.example"
URL = "http://ocsp.ca.example/"
"""By name, as in every certificate of a public authority."""
SLOW = 4.0
"""Seconds; one question that nobody answers costs 5 by default (resolv.conf(5))."""


@pytest.fixture
def lab(tmp_path):
    with Lab.make(tmp_path / "lab", sites=[]) as made:
        made.add(NAME, responders=[URL])
        made.responder.start(made.issued.values())
        yield made


def settings(lab: Lab) -> list[str]:
    """Write a settings file that says where the responder is; returns the flags."""
    path = lab.root / "staplecfg.toml"
    path.write_text(f'[responders]\noverride = {{ "{URL}" = "{lab.responder.url}" }}\n')
    return ["--settings", str(path)]


def test_plain_stapling_waits_at_boot_and_ours_never_does(tmp_path, lab):
    site = lab.nginx.prefix / "sites-available" / NAME
    plain = site.read_text()
    flags = settings(lab)
    with blackhole(tmp_path) as run:

        def boot() -> Waited:
            waited, tested = run(lab.nginx.argv("-t"))
            assert tested.returncode == 0, tested.stderr
            return waited

        assert boot().questions == 0
        site.write_text(plain.replace("server_name", "ssl_stapling on;\n    server_name"))
        asking = boot()
        assert asking.questions > 0
        assert asking.seconds >= SLOW
        site.write_text(plain)

        applied = lab.apply(*flags)
        assert applied.status == 0, applied
        snippet = next(lab.state.glob("nginx/*/staple.conf"))
        assert ".der" in snippet.read_text()
        assert boot().questions == 0

        keep(lab, lab.issued[NAME], since=7 * DAY, until=-DAY)
        argv = [sys.executable, "-m", "staplecfg", *lab.arguments("warm", "--offline", *flags)]
        waited, warmed = run(argv)
        assert warmed.returncode == 1, warmed.stderr  # a staple needs a person
        assert "expired" in warmed.stderr
        assert waited.questions == 0
        assert ".der" not in snippet.read_text()
        assert boot().questions == 0


def test_configured_before_there_is_a_staple_boots_as_quickly(tmp_path, lab):
    assert lab.apply("--config-only").status == 0
    with blackhole(tmp_path) as run:
        waited, tested = run(lab.nginx.argv("-t"))

    assert tested.returncode == 0, tested.stderr
    assert waited.questions == 0
