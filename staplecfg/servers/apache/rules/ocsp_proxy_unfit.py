"""`SSLOCSPProxyURL` names a proxy that mod_ssl cannot use, or takes away what is local.

What: the proxy for OCSP is no `http://` address with a host and a port, or the
responder that it stands in front of is on this machine.

Why: the proxy is asked for every staple, those from 127.0.0.1 too; there are no
exceptions (measured with 2.4.71), so the local responder is never reached, and
what the proxy says of 127.0.0.1 is about the proxy's own machine. Without a
port none is guessed: every fetch fails. `https://` is spoken to in plain http.
`apachectl -t` takes all of these.

Fix: write the address with `http://` and port. Beside a local responder take
the line out, and tell staplecfg of the proxy (`responders.proxy`): it asks.

Problematic:

    SSLOCSPProxyURL http://proxy.internal:3128
    SSLStaplingForceURL http://127.0.0.1:889/

Correct:

    SSLStaplingForceURL http://127.0.0.1:889/
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from staplecfg.model.finding import Severity
from staplecfg.model.rule import Rule
from staplecfg.servers.apache.rules.subjects import asks_locally, by_mod_ssl

if TYPE_CHECKING:
    from collections.abc import Iterator

    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding

NAME = "SSLOCSPProxyURL"


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding for each such line, where it is in effect first."""
    told = set()
    for site, state, _ in by_mod_ssl(facts):
        setting = site.setting(NAME)
        if setting is None or not setting.args or setting.location in told:
            continue
        problem = _unusable(setting.args[0])
        hint = f"write `{NAME} http://HOST:PORT`"
        if problem is None and asks_locally(state):
            problem = "this proxy is asked instead of the local responder"
            hint = "take the line out of this virtual host, and set responders.proxy in staplecfg"
        if problem is not None:
            told.add(setting.location)
            yield RULE.finding(setting.location, problem, hint, site)


def _unusable(url: str) -> str | None:
    """Say what is wrong with `url` as mod_ssl's proxy, or None."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        return f'"{url}" is no URL: {error}'
    if not host or not port:
        return f'"{url}" has no {"port" if host else "host"}: nothing can be fetched through it'
    if parts.scheme != "http":
        return f'"{url}" is spoken to in plain http, whatever its scheme says'
    return None


RULE = Rule("ocsp-proxy-unfit", Severity.WARNING, __doc__ or "", check)
