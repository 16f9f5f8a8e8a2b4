"""Whether the certificate a server presented is the site's own, or another site answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import DNSName, ExtensionNotFound, SubjectAlternativeName
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from staplecfg.model.chain import Chain


def is_for(presented: Certificate, name: str | None, chain: Chain | None) -> bool:
    """Say whether `presented` belongs to the site configured with `chain` and asked for as `name`.

    Another certificate than the one on disk may still be the site's: renewed,
    and the server not yet told. Then it carries the name asked for, or one of
    those the certificate on disk carries.
    """
    if chain is None:
        return True
    if presented.public_bytes(Encoding.DER) == chain.leaf.public_bytes(Encoding.DER):
        return True
    names = dns_names(presented)
    if name is not None and any(_matches(pattern, name.lower().rstrip(".")) for pattern in names):
        return True
    return not names.isdisjoint(each.lower() for each in chain.names)


def dns_names(certificate: Certificate) -> frozenset[str]:
    """Return the DNS names in `certificate`, lower case; its common name where it has none."""
    try:
        extension = certificate.extensions.get_extension_for_class(SubjectAlternativeName)
    except (ExtensionNotFound, ValueError):
        names = [
            str(one.value)
            for one in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        ]
    else:
        names = extension.value.get_values_for_type(DNSName)
    return frozenset(name.lower() for name in names)


def _matches(pattern: str, name: str) -> bool:
    """Say whether `pattern` covers `name`: a star stands for one whole label (RFC 9525, 6.3)."""
    if pattern == name:
        return True
    return pattern.startswith("*.") and pattern[1:] == name[name.find(".") :] and "." in name
