"""A responder has not given a usable answer lately.

What: the last attempt, or several in a row, to get a response for the
certificate failed: no connection, no answer in time, an error, or a response
that may not be stapled.

Why: responders have outages, and a staple is renewed from half-life on so that
they may. One failure is nothing; many mean that something between here and
there stays wrong: a firewall, a proxy that must be configured, an address that
is gone.

Fix: ask as staplecfg does, and read what comes:

    curl -sv http://ocsp.example.org/

Where the way out leads through a proxy, set `responders.proxy` in
/etc/staplecfg/staplecfg.toml; where the responder is on your own network,
allow it with `--allow-network`.
"""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING

from staplecfg.checks.subjects import each_certificate
from staplecfg.model.finding import Severity
from staplecfg.model.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding for each certificate whose last attempt failed, revocation aside."""
    for site, certificate, chain in each_certificate(facts):
        attempts = facts.attempts.get(chain.fingerprint)
        if attempts is None or not attempts.failures or attempts.revoked_at is not None:
            continue
        url = attempts.url or next(iter(chain.responders), "")
        times = "once" if attempts.failures == 1 else f"{attempts.failures} times in a row"
        problem = f'no usable answer for certificate "{certificate.text}", {times}'
        said = ": ".join(part for part in (url, attempts.error) if part)
        hint = f"curl -sv {quote(url)}" if url else None
        yield RULE.finding(
            certificate.location, f"{problem}: {said}" if said else problem, hint, site
        )


RULE = Rule("responder-failing", Severity.WARNING, __doc__ or "", check)
