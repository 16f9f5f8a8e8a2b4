"""nginx verifies responses and cannot find whom to believe, so it staples nothing.

What: `ssl_stapling_verify on` is in effect where nginx fetches the staple
itself, and the certificate that signed the response, or its root, is not where
nginx looks.

Why: a response signed by the issuer is verified with the issuer's certificate
in the `ssl_certificate` file; `ssl_trusted_certificate` is not searched for it
(`signer certificate not found`). A response signed by a delegate needs the
root in `ssl_trusted_certificate`; a partial chain is not enough (measured with
1.22.1, OpenSSL 3.0). `nginx -t` says nothing about either.

Fix: put the intermediate behind the certificate in its file. Or let staplecfg
fetch and verify the staple: nginx does not verify a staple file.

    staplecfg apply

Problematic:

    ssl_certificate         /etc/ssl/leaf-alone.pem;
    ssl_trusted_certificate /etc/ssl/intermediate.pem;
    ssl_stapling_verify     on;

Correct:

    ssl_certificate         /etc/ssl/fullchain.pem;
    ssl_stapling_verify     on;
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.model.finding import Severity
from staplecfg.model.rule import Rule
from staplecfg.servers.nginx.rules.subjects import asks_us, chains_of, fetching
from staplecfg.servers.nginx.stapling import flag

if TYPE_CHECKING:
    from collections.abc import Iterator

    from staplecfg.model.chain import Chain
    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding
    from staplecfg.model.site import Site


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding for each certificate whose responses nginx cannot verify."""
    for site, _ in fetching(facts):
        verify = site.setting("ssl_stapling_verify")
        if verify is None or not flag(verify):
            continue
        for chain in chains_of(site, facts):
            wrong = _unverifiable(site, chain, facts)
            if wrong is not None:
                hint = f"run staplecfg apply{_way(site, facts)}: nginx verifies no staple file"
                yield RULE.finding(verify.location, f"nginx will not staple: {wrong}", hint, site)


def _way(site: Site, facts: Facts) -> str:
    return " --delivery file" if asks_us(site, facts) else ""


def _unverifiable(site: Site, chain: Chain, facts: Facts) -> str | None:
    """Say why nginx cannot verify responses about `chain`; None where it can, or may."""
    if not chain.responders or chain.issuer is None:
        return None
    if _delegated(chain, facts):
        if site.value("ssl_trusted_certificate"):
            return None
        return (
            f'a delegate signs the responses about "{chain.path}", '
            "and no `ssl_trusted_certificate` holds its root"
        )
    if chain.issuer in chain.others:
        return None
    return f'"{chain.path}" does not hold the issuer, who signs the responses about it'


def _delegated(chain: Chain, facts: Facts) -> bool:
    """Say whether the last response had a signer of its own: only those have an end of theirs."""
    stored = facts.stored.get(chain.fingerprint)
    if stored is None or stored.staple is None:
        return False
    return stored.staple.responder_expires is not None


RULE = Rule("stapling-verify-untrusted", Severity.WARNING, __doc__ or "", check)
