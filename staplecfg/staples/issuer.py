"""Find a certificate's issuer where the certificate says it is (caIssuers, RFC 5280, 4.2.2.1).

Whoever's key verifies the leaf is its issuer: nothing more has to be believed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509.oid import AuthorityInformationAccessOID

from staplecfg.model.verdict import Unreachable
from staplecfg.pki.issuance import issued_by
from staplecfg.staples.fetch import route_of, together
from staplecfg.staples.hosts import Hosts
from staplecfg.staples.http import exchange
from staplecfg.staples.message import Answer, Barred, Request, Silent
from staplecfg.staples.url import BadUrl, parse_url
from staplecfg.staples.wire import Deadline

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from cryptography.x509 import Certificate

    from staplecfg.model.settings import Responders
    from staplecfg.staples.message import Outcome

MOST_URLS = 3
MOST_CERTIFICATES = 10


def fetch_issuer(
    leaf: Certificate,
    *,
    clock: Callable[[], datetime],
    settings: Responders,
    private: bool,
    hosts: Hosts | None = None,
) -> Certificate | Unreachable:
    """Return the certificate whose key verifies `leaf`, from the places `leaf` names.

    The rules are those of fetching staples: http, checked addresses, `settings`'
    limits, 64 KiB. Never raises for anything a host does.
    """
    patience = settings.per_certificate.total_seconds()
    hosts = hosts or Hosts(patience)
    errand = _Errand(leaf, clock, settings, private, hosts, Deadline(patience))
    failures: list[Unreachable] = []
    for url in issuer_urls(leaf):
        found = _from(url, errand)
        if not isinstance(found, Unreachable):
            return found
        failures.append(found)
    if not failures:
        return Unreachable("", "the certificate does not say where its issuer's is")
    return together(failures)


@dataclass(frozen=True, slots=True)
class _Errand:
    """What the look-ups of one issuer have in common."""

    leaf: Certificate
    clock: Callable[[], datetime]
    settings: Responders
    private: bool
    hosts: Hosts
    deadline: Deadline


def _from(url: str, errand: _Errand) -> Certificate | Unreachable:
    try:
        request = Request(parse_url(url), accept=None)
        route = route_of(errand.settings, private=errand.private, resolve=errand.hosts.resolve)
    except BadUrl as error:
        return Unreachable(url, f"this URL is not asked: {error}")
    host = request.url.authority
    given_up = errand.hosts.given_up(host)
    if given_up is not None:
        return Unreachable(url, given_up)
    try:
        with errand.hosts.visit(host, errand.deadline.left) as visit:
            deadline = errand.deadline.sooner(errand.settings.total.total_seconds())
            outcome = exchange(request, route, deadline=deadline, now=errand.clock())
            found = _found(url, outcome, errand.leaf)
            visit.useful = not isinstance(found, Unreachable)
            visit.silent = isinstance(outcome, Silent)
            visit.problem = found.problem if isinstance(found, Unreachable) else ""
    except TimeoutError as error:
        return Unreachable(url, str(error))
    return found


def _found(url: str, outcome: Outcome, leaf: Certificate) -> Certificate | Unreachable:
    if not isinstance(outcome, Answer):
        return Unreachable(
            url, outcome.problem, outcome.hint if isinstance(outcome, Barred) else None
        )
    issuer = issuer_in(outcome.body, leaf)
    if issuer is None:
        return Unreachable(url, "what it answers holds no certificate that issued this one")
    return issuer


def issuer_urls(leaf: Certificate) -> tuple[str, ...]:
    """Return the id-ad-caIssuers URIs of `leaf`, in order, de-duplicated, three at most."""
    try:
        access = leaf.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError, TypeError):
        return ()
    urls = (
        description.access_location.value
        for description in access
        if description.access_method == AuthorityInformationAccessOID.CA_ISSUERS
        and isinstance(description.access_location, x509.UniformResourceIdentifier)
    )
    return tuple(dict.fromkeys(urls))[:MOST_URLS]


def issuer_in(body: bytes, leaf: Certificate) -> Certificate | None:
    """Return the certificate in `body` whose key verifies `leaf`, or None.

    `body` is a certificate, or a PKCS #7 bag of them (RFC 5280, 4.2.2.1), in
    DER; PEM is tolerated, for hosts send it.
    """
    return next((found for found in _certificates(body) if issued_by(leaf, found)), None)


def _certificates(body: bytes) -> Iterator[Certificate]:
    readers: tuple[Callable[[bytes], list[Certificate]], ...] = (
        lambda data: [x509.load_der_x509_certificate(data)],
        pkcs7.load_der_pkcs7_certificates,
        x509.load_pem_x509_certificates,
        pkcs7.load_pem_pkcs7_certificates,
    )
    for reader in readers:
        try:
            found = reader(body)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            continue
        yield from found[:MOST_CERTIFICATES]
