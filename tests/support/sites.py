"""Sites and chains as values, for tests that need no configuration file."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.x509 import TLSFeature

from staplecfg.model.chain import Chain
from staplecfg.model.directive import Directive
from staplecfg.model.site import Certificate, Listen, Site
from staplecfg.model.source import Location, Span

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.support.authority import Issued

FILE = PurePosixPath("/etc/nginx/sites-enabled/a.example")
HERE = Location(FILE, 1)


def site(
    *,
    names: Iterable[str] = ("a.example",),
    listens: Iterable[Listen] = (),
    certificates: Iterable[str] = ("/etc/ssl/a.pem",),
) -> Site:
    return Site(
        server="nginx",
        context="http",
        names=tuple(names),
        location=HERE,
        file=FILE,
        block=Directive("server", (), 1, Span(0, 0)),
        certificates=tuple(Certificate(text, PurePosixPath(text), HERE) for text in certificates),
        listens=tuple(listens),
        settings={},
    )


def listen(host: str = "127.0.0.1", port: int | None = 443, *, proxied: bool = False) -> Listen:
    return Listen(host, port, HERE, tls=True, proxy_protocol=proxied)


def chain(issued: Issued) -> Chain:
    """Return what staplecfg would read in the certificate file of `issued`."""
    extensions = issued.cert.extensions
    names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return Chain(
        path=PurePosixPath("/etc/ssl/a.pem"),
        leaf=issued.cert,
        others=issued.chain,
        issuer=issued.issuer.cert if issued.issuer else None,
        fingerprint=issued.sha256,
        serial=issued.cert.serial_number,
        names=tuple(names.get_values_for_type(x509.DNSName)),
        responders=(),
        must_staple=any(isinstance(each.value, TLSFeature) for each in extensions),
        not_before=issued.cert.not_valid_before_utc,
        not_after=issued.cert.not_valid_after_utc,
    )
