"""The configured responder is not an `http://` address, so nginx ignores stapling.

What: `ssl_stapling_responder` names something that does not start with `http://`.

Why: nginx speaks plain http to responders and nothing else; at start it warns
`invalid URL prefix in OCSP responder` and staples nothing until the next
reload. Responses are signed: encrypting the way there gains nothing, and
checking that connection would need OCSP again.

Fix: use the http address, or take the line out: nginx then asks the one in the
certificate.

Problematic:

    ssl_stapling_responder https://ocsp.example.org/;

Correct:

    ssl_stapling_responder http://ocsp.example.org/;
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.model.finding import Severity
from staplecfg.model.rule import Rule
from staplecfg.servers.nginx.stapling import stapling

if TYPE_CHECKING:
    from collections.abc import Iterator

    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding for each site that would ask a responder nginx cannot ask."""
    for site in facts.configuration.sites:
        state = stapling(site, facts.configuration)
        if not state.fetches or state.responder is None:
            continue
        url = state.responder.args[0]
        if not url.lower().startswith("http://"):
            problem = f'nginx asks http responders only and ignores stapling for "{url}"'
            hint = "use the responder's http:// address, or take the line out"
            yield RULE.finding(state.responder.location, problem, hint, site)


RULE = Rule("responder-directive-https", Severity.WARNING, __doc__ or "", check)
