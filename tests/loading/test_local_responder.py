"""Where the local responder must be running, and where nobody can say so."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import pytest

from staplecfg.loading.local_responder import expected, with_local_responders
from staplecfg.model.facts import Running
from staplecfg.model.settings import Settings
from staplecfg.model.target import NoTarget, Target
from tests.support.apart import APART, idle, needs_networks
from tests.support.facts import MAIN, SHOP, SHOP_PEM, facts, http, server

if TYPE_CHECKING:
    from staplecfg.model.facts import Facts

ASKING = ("ssl_stapling on;", "ssl_stapling_responder http://127.0.0.1:889/;")
HERE = Running(os.getpid())
KNOWN = Target("nginx", MAIN, served=True)


def machine(
    *,
    running: Running = HERE,
    targets: tuple[Target | NoTarget, ...] = (KNOWN,),
    settings: Settings | None = None,
) -> Facts:
    """Return a machine whose state remembers its nginx, which runs, unless something else is said.

    Nothing listens where its site asks.
    """
    observed = facts(http(server(*ASKING)), {SHOP_PEM: SHOP}, settings=settings)
    return replace(observed, running=running, targets=targets)


def test_it_is_expected_where_a_server_that_state_remembers_runs():
    assert expected(machine())


@pytest.mark.parametrize(
    "observed",
    [
        pytest.param(machine(running=Running(None)), id="the server does not run"),
        pytest.param(machine(targets=()), id="state remembers none"),
        pytest.param(
            machine(targets=(Target("nginx", PurePosixPath("/srv/ci/nginx.conf")),)),
            id="state remembers another configuration",
        ),
        pytest.param(machine(targets=(Target("apache", MAIN),)), id="another server"),
        pytest.param(machine(targets=(NoTarget(MAIN, "torn"),)), id="nobody knows which"),
        pytest.param(machine(settings=Settings(offline=True)), id="no network"),
        pytest.param(machine(settings=Settings(root=PurePosixPath("/srv"))), id="another tree"),
    ],
)
def test_elsewhere_it_is_not_and_nobody_is_asked(observed):
    assert not expected(observed)
    assert with_local_responders(observed).local_responders == {}


@needs_networks
def test_a_server_on_another_loopback_has_its_own():
    with idle(APART) as apart:
        assert not expected(machine(running=Running(apart)))
    with idle() as beside:
        assert expected(machine(running=Running(beside)))
