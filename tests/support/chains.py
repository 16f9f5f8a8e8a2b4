"""Chains as staplecfg reads them, of certificates as the authority issues them."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from staplecfg.model.chain import Chain
from staplecfg.pki.chain import read_chain

if TYPE_CHECKING:
    from tests.support.authority import Issued


def chain_of(issued: Issued) -> Chain:
    chain = read_chain(issued.fullchain, PurePosixPath("/etc/ssl/fullchain.pem"))
    assert isinstance(chain, Chain), chain
    return chain
