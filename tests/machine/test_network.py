"""Whether a process shares our loopback."""

from __future__ import annotations

import os

from staplecfg.machine.network import another_network
from tests.support.apart import APART, idle, needs_networks


def test_our_own_process_and_its_children_are_where_we_are():
    assert not another_network(os.getpid())
    with idle() as child:
        assert not another_network(child)


def test_a_process_that_is_gone_is_not_known_to_be_elsewhere():
    with idle() as gone:
        pass

    assert not another_network(gone)


@needs_networks
def test_one_with_a_network_of_its_own_is_elsewhere():
    with idle(APART) as apart:
        assert another_network(apart)
