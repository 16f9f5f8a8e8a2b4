"""A response that is stored or served may not be stapled.

What: the file named by `ssl_stapling_file`, the one that Apache's mod_md keeps, or
the response in staplecfg's own store was judged and found wrong: about another
certificate, expired, revoked, signed by someone who may not sign it, an error,
not a response at all.

Why: nginx and mod_md serve a file as it is and look at nothing in it; a client that
looks ends the handshake (Firefox does), so a wrong staple is worse than none.
A file that is missing or not DER keeps nginx from starting (`BIO_new_file`,
`d2i_OCSP_RESPONSE_bio`). After a certificate is replaced, yesterday's file is
about another certificate.

Fix: renew a staple of staplecfg's with `staplecfg warm`. For a file that
something else writes, look at what it holds, then mend that or hand over:

    staplecfg inspect /etc/nginx/shop.der --certificate /etc/ssl/shop.pem
    staplecfg apply --adopt --site shop.example
"""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING

from staplecfg.checks.served import fits_some, served
from staplecfg.checks.subjects import each_certificate
from staplecfg.model.finding import Severity
from staplecfg.model.rule import Rule
from staplecfg.model.verdict import Rejected

if TYPE_CHECKING:
    from collections.abc import Iterator

    from staplecfg.checks.served import Served
    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding for each served file and each stored response that is wrong."""
    for one in served(facts):
        hint = _hint(one, facts)
        if one.problem is not None:
            problem = f'the staple "{one.path}" cannot be read: {one.problem}'
            yield RULE.finding(one.setting.location, problem, hint, one.site)
        elif not fits_some(one):
            for chain, verdict in one.judged:
                if isinstance(verdict, Rejected):
                    problem = f'the staple "{one.path}" for {chain.path}: {verdict.problem}'
                    yield RULE.finding(one.setting.location, problem, hint, one.site)
    for site, certificate, chain in each_certificate(facts):
        stored = facts.stored.get(chain.fingerprint)
        if stored is not None and stored.problem is not None:
            problem = f'the stored response for "{certificate.text}": {stored.problem}'
            yield RULE.finding(certificate.location, problem, "run staplecfg warm", site)


def _hint(one: Served, facts: Facts) -> str:
    if facts.settings.state_dir in one.path.parents:
        return "run staplecfg warm"
    if one.by_module:
        return "take the file away and reload the server, or run staplecfg apply"
    site = quote(one.site.title)
    return f"run staplecfg apply --adopt --site {site}, or mend what writes it"


RULE = Rule("staple-rejected", Severity.ERROR, __doc__ or "", check)
