"""nginx fetches the staple itself, so its first handshakes go without one.

What: `ssl_stapling on` is in effect without a staple file.

Why: nginx starts to fetch when the first client asks, and that client gets no
staple, nor does anyone until the answer is there: the state is per worker,
block and certificate, and nothing survives a reload. With a responder 100 ms
away, some 70 of 200 handshakes after a reload went without (measured, 1.22.1
and 1.31.5). After one failed fetch it is dark for five minutes. Where the
certificate demands a staple (Must-Staple), those visitors are turned away.

Fix: let staplecfg fetch it before nginx is told:

    staplecfg apply

Problematic:

    ssl_stapling on;
    resolver 127.0.0.53;

Correct:

    ssl_stapling on;
    ssl_stapling_verify on;
    include /var/lib/staplecfg/nginx/SITE-KEY/*.conf;
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.model.finding import Severity
from staplecfg.model.rule import Rule
from staplecfg.servers.nginx.rules.subjects import can_staple, chains_of, fetching

if TYPE_CHECKING:
    from collections.abc import Iterator

    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding

LOCAL = ("http://127.", "http://[::1]", "http://localhost", "http://unix:")
"""A responder on this machine is somebody's answer to this very problem."""


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding for each site that staples late, unless its responder is local."""
    for site, state in fetching(facts):
        if state.switch is None or not can_staple(site, facts.installation):
            continue
        if state.responder is not None and state.responder.args[0].lower().startswith(LOCAL):
            continue
        problem = "nginx fetches this staple itself: the first handshakes of each worker go without"
        if any(chain.must_staple for chain in chains_of(site, facts)):
            problem += ", and this certificate demands one (Must-Staple)"
        yield RULE.finding(state.switch.location, problem, "run staplecfg apply", site)


RULE = Rule("lazy-gap", Severity.WARNING, __doc__ or "", check)
