"""The certificates in a file are not those to be sent, in the order to send them.

What: the server's own certificate comes first, then the one that issued it,
then the one that issued that, and nothing else. Here one stands somewhere
else, or has no place in this file: a root, a stranger, the same one twice.

Why: servers send them as they stand. TLS 1.2 demands this order (RFC 5246,
7.4.2), TLS 1.3 asks clients to put up with another (RFC 8446, 4.4.2), and some
do not. What no client needs is sent in every handshake. If the first is not the
server's own, the server does not start: the key does not belong to it.

Fix: write the file anew, each certificate behind the one it issued:

    cat shop.pem intermediate.pem > fullchain.pem
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.checks.subjects import each_file
from staplecfg.model.finding import Severity
from staplecfg.model.rule import Rule
from staplecfg.pki.order import order_problems

if TYPE_CHECKING:
    from collections.abc import Iterator

    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding for each certificate that stands in the wrong place of its file."""
    for site, certificate, chain in each_file(facts):
        for problem in order_problems(chain):
            hint = f"write {chain.path} anew: the leaf, then each one behind the one it issued"
            yield RULE.finding(certificate.location, f'"{certificate.text}": {problem}', hint, site)


RULE = Rule("chain-order", Severity.WARNING, __doc__ or "", check)
