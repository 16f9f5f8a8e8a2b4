"""The responder's address in a certificate cannot be used.

What: the first OCSP address in the certificate is not a plain `http://` URL
with a host and a valid port.

Why: servers look at the first address only. nginx ignores stapling when it is
not http (`invalid URL prefix in OCSP responder`); Apache goes so far as to end the
handshake (see responder-ends-handshakes).
OCSP over https is not used, for checking that connection would need OCSP again
(RFC 5280, 8); responses are signed and need no encryption. staplecfg does not
ask addresses with a user name, with spaces or with control characters either:
whoever made the certificate chose them.

Fix: have the certificate reissued with a working address, or say whom to ask
instead, in /etc/staplecfg/staplecfg.toml:

    [responders.override]
    "https://ocsp.example.org" = "http://ocsp.example.org"
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from staplecfg.checks.subjects import each_certificate
from staplecfg.model.finding import Severity
from staplecfg.model.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator
    from urllib.parse import SplitResult

    from staplecfg.model.facts import Facts
    from staplecfg.model.finding import Finding

LONGEST = 2000
"""Characters; nobody's address is longer, and some servers stop near there."""


def check(facts: Facts) -> Iterator[Finding]:
    """Yield one finding for each certificate whose first responder cannot be asked."""
    overrides = facts.settings.responders.override or {}
    for site, certificate, chain in each_certificate(facts):
        if not chain.responders:
            continue
        url = chain.responders[0]
        asked = overrides.get(url, url)
        wrong = unusable(asked) if asked else None
        if wrong is not None:
            problem = f'certificate "{certificate.text}": responder "{asked}" {wrong}'
            hint = f'set responders.override."{url}" in staplecfg.toml, or have it reissued'
            yield RULE.finding(certificate.location, problem, hint, site)


def unusable(url: str) -> str | None:
    """Say what is wrong with `url` as a responder's address, or None."""
    if not url.isascii() or not url.isprintable() or " " in url:
        return "holds characters that no URL may hold"
    if len(url) > LONGEST:
        return f"is longer than {LONGEST} characters"
    try:
        parts = urlsplit(url)
        return _wrong(parts, parts.port)
    except ValueError as error:
        return f"is not a URL: {error}"


def _wrong(parts: SplitResult, port: int | None) -> str | None:
    if parts.scheme != "http":
        return f"is {parts.scheme}, not http" if parts.scheme else "does not start with http://"
    if parts.username is not None or parts.password is not None:
        return "holds a user name or a password"
    if not parts.hostname:
        return "has no host"
    return "has port 0" if port == 0 else None


RULE = Rule("responder-url-unusable", Severity.WARNING, __doc__ or "", check)
