"""Undo only if it is worse than it was: every pair of verdicts."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import PurePosixPath

import pytest

from staplecfg.model.probe import (
    Missing,
    NotTestable,
    Probe,
    Refused,
    Served,
    Target,
    Tls,
    Wrong,
    worse,
)
from staplecfg.model.source import Location
from staplecfg.model.staple import CertStatus, Staple

NOW = datetime(2026, 1, 15, 12, tzinfo=timezone.utc)
SERVED = Served(
    Staple(
        der=b"",
        fingerprint="00",
        serial=1,
        status=CertStatus.GOOD,
        produced_at=NOW,
        this_update=NOW,
        next_update=NOW + timedelta(days=7),
        responder_expires=None,
        signer="CN=Responder",
    )
)
MISSING = Missing()
WRONG = Wrong("expired")
REFUSED = Refused("connection refused")
UNTESTABLE = NotTestable("QUIC only")

BEFORE = Probe(
    "a.example",
    Location(PurePosixPath("/etc/nginx/sites-enabled/a"), 1),
    "a.example",
    Target("127.0.0.1", 443),
    Tls.V1_3,
    SERVED,
)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(verdict, verdict, id=f"still {type(verdict).__name__}")
        for verdict in (SERVED, MISSING, WRONG, REFUSED, UNTESTABLE)
    ]
    + [
        pytest.param(MISSING, SERVED, id="none, then a good one"),
        pytest.param(WRONG, SERVED, id="a wrong one, then a good one"),
        pytest.param(WRONG, MISSING, id="a wrong one withdrawn"),
        pytest.param(REFUSED, MISSING, id="up again"),
        pytest.param(REFUSED, UNTESTABLE, id="unreachable both times"),
        pytest.param(UNTESTABLE, SERVED, id="now testable, good"),
        pytest.param(UNTESTABLE, MISSING, id="now testable, none"),
        pytest.param(UNTESTABLE, WRONG, id="now testable, wrong"),
        pytest.param(UNTESTABLE, REFUSED, id="never testable"),
    ],
)
def test_not_worse(before, after):
    assert not worse([replace(BEFORE, verdict=before)], [replace(BEFORE, verdict=after)])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(SERVED, MISSING, id="lost"),
        pytest.param(SERVED, WRONG, id="spoilt"),
        pytest.param(SERVED, REFUSED, id="turned away"),
        pytest.param(SERVED, UNTESTABLE, id="another site answers"),
        pytest.param(MISSING, WRONG, id="none, then a wrong one"),
        pytest.param(MISSING, REFUSED, id="none, then nobody"),
        pytest.param(WRONG, REFUSED, id="wrong, then nobody"),
    ],
)
def test_worse(before, after):
    (problem,) = worse([replace(BEFORE, verdict=before)], [replace(BEFORE, verdict=after)])

    assert problem.startswith("a.example 127.0.0.1:443 TLSv1.3: ")


def test_a_difference_in_another_version_counts_by_itself():
    before = [BEFORE, replace(BEFORE, version=Tls.V1_2)]
    after = [BEFORE, replace(BEFORE, version=Tls.V1_2, verdict=MISSING)]

    assert worse(before, after) == (
        "a.example 127.0.0.1:443 TLSv1.2: a good staple before, no staple now",
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param([], [replace(BEFORE, verdict=REFUSED)], id="new"),
        pytest.param([BEFORE], [], id="gone"),
    ],
)
def test_what_was_tested_only_once_is_not_compared(before, after):
    assert not worse(before, after)


@pytest.mark.parametrize(
    ("target", "text"),
    [
        (Target("127.0.0.1", 443), "127.0.0.1:443"),
        (Target("::1", 8443), "[::1]:8443"),
        (Target(unix=PurePosixPath("/run/tls.sock")), "unix:/run/tls.sock"),
    ],
)
def test_a_target_is_written_as_in_a_configuration(target, text):
    assert str(target) == text
