"""A block with two certificates serves a staple that is about one of them.

What: a server block has an RSA and an ECDSA certificate, and one
`ssl_stapling_file`, whose response does not answer for both.

Why: nginx attaches the same bytes to whichever certificate the client gets
(ngx_ssl_stapling), so every client of the other one is handed a foreign
staple. Firefox and `curl --cert-status` end the handshake; measured, half of
the handshakes were wrong. One response may hold both answers, and then all is
well: staplecfg asks for one, but few responders give such responses.

Fix: keep the ECDSA certificate alone, which every client of today takes; or let
nginx ask the local responder (`staplecfg serve`), which knows both:

    staplecfg apply --delivery responder --site shop.example
"""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING

from staplecfg.checks.served import fits_some, served
from staplecfg.model.finding import Severity
from staplecfg.model.rule import Rule
from staplecfg.model.verdict import Rejected

if TYPE_CHECKING:
    from collections.abc import Iterator

    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding for each certificate that is served with its neighbour's staple."""
    for one in served(facts):
        if not fits_some(one):
            continue
        for chain, verdict in one.judged:
            if isinstance(verdict, Rejected):
                problem = (
                    f'the staple "{one.path}" is sent with {chain.path} too '
                    "and does not answer for it"
                )
                hint = (
                    "keep one certificate in the block, or run "
                    f"staplecfg apply --delivery responder --site {quote(one.site.title)}"
                )
                yield RULE.finding(one.setting.location, problem, hint, one.site)


RULE = Rule("stapling-file-two-certificates", Severity.ERROR, __doc__ or "", check)
