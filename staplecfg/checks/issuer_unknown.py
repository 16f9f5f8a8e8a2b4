"""None of the certificates at hand issued the leaf, so its status cannot be asked for.

What: the file holds further certificates, but the key of none of them verifies
the signature of the first one.

Why: a question about a certificate names its issuer by a hash of the issuer's
key (CertID, RFC 6960, 4.1.1), and the answer is believed because that key, or
one it vouches for, signed it (4.2.2.2). The usual cause is an intermediate
that the authority has replaced since: the names may still match, the keys do
not. nginx says `issuer certificate not found`, Apache `AH02217`, and they staple
nothing; clients that do not have the right intermediate at hand refuse the site.

Fix: put the intermediate that issued this very certificate right behind it.
Its address is often in the certificate:

    openssl x509 -in cert.pem -noout -ext authorityInfoAccess
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from staplecfg.checks.subjects import each_file, self_signed
from staplecfg.model.finding import Severity
from staplecfg.model.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding for each file whose other certificates did not issue the first."""
    for site, certificate, chain in each_file(facts):
        if chain.issuer is not None or not chain.others or self_signed(chain):
            continue
        held = ", ".join(f'"{other.subject.rfc4514_string()}"' for other in chain.others[:3])
        problem = (
            f'certificate "{certificate.text}" was issued by '
            f'"{chain.leaf.issuer.rfc4514_string()}", and its file holds {held}, '
            f"none of which signed it"
        )
        hint = f"append the intermediate that signed it to {chain.path}"
        yield RULE.finding(certificate.location, problem, hint, site)


RULE = Rule("issuer-unknown", Severity.WARNING, __doc__ or "", check)
