"""The responder's address is not `http://`, and httpd ends the handshake over it.

What: `SSLUseStapling on` is in effect, and `SSLStaplingForceURL`, or without one
the first OCSP address in the certificate, does not begin with `http://` in small
letters.

Why: mod_ssl speaks plain http and does not go on without a staple: `AH01955:
fatal error renewing response`. Every client that asks for a staple gets a fatal
alert instead of the site: Firefox shows an error page, and whoever tests with a
client that does not ask sees nothing. A `SSLStaplingForceURL` without a scheme
makes the child crash in each such handshake (`AH00052`). `apachectl -t` takes
them all (measured with 2.4.71).

Fix: name the responder by `http://`, or take stapling out of the virtual host.
`staplecfg apply` has httpd ask the local responder instead.

Problematic:

    SSLStaplingForceURL https://ocsp.example.org/

Correct:

    SSLStaplingForceURL http://ocsp.example.org/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.model.finding import Severity
from staplecfg.model.rule import Rule
from staplecfg.servers.apache.rules.subjects import by_mod_ssl, chains_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding

SPOKEN = "http://"


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding for each line, or each certificate, that ends handshakes."""
    told = set()
    for site, state, switch in by_mod_ssl(facts):
        if state.responder is not None:
            url = state.responder.args[0]
            if not url.startswith(SPOKEN) and state.responder.location not in told:
                told.add(state.responder.location)
                problem = f'httpd ends each handshake that asks for a staple: "{url}" {_why(url)}'
                hint = "name the responder by http://, or take the line out"
                yield RULE.finding(state.responder.location, problem, hint, site)
            continue
        for chain in chains_of(site, facts):
            if chain.responders and not chain.responders[0].startswith(SPOKEN):
                url = chain.responders[0]
                problem = (
                    f"httpd ends each handshake that asks for a staple: the responder "
                    f'in {chain.path}, "{url}", {_why(url)}'
                )
                hint = "run staplecfg apply, or take `SSLUseStapling on` out"
                yield RULE.finding(switch.location, problem, hint, site)


def _why(url: str) -> str:
    if url.lower().startswith(SPOKEN):
        return "has its scheme in capitals"
    return f"does not begin with {SPOKEN}"


RULE = Rule("responder-ends-handshakes", Severity.ERROR, __doc__ or "", check)
