"""A certificate authority that can lie: every certificate and every OCSP response is built here.

    authority = Authority.create()
    shop = authority.leaf(["shop.example"], responders=["http://127.0.0.1:8888/"])
    fullchain, key = shop.write(tmp_path, "shop")
    der = authority.respond(shop, now=now)

Certificates are valid from 2020 to 2049 unless told otherwise, so they serve a
fixed `now` as well as the clock. Keys are made once per process and named by
what they are for: two authorities of one name are the same authority, unless
`keys` differs.
"""

from __future__ import annotations

import ipaddress
import itertools
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from functools import cache
from typing import TYPE_CHECKING, Literal, TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

from tests.support import asn1, responses
from tests.support.responses import Digest, PrivateKey, Single, Status

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cryptography.x509 import Certificate

KeyKind: TypeAlias = Literal["ec", "ec384", "rsa", "rsa1024", "ed25519"]
Purpose: TypeAlias = Literal["ocsp", "any", "server", "ocsp+server"]

NOT_BEFORE = datetime(2020, 1, 1, tzinfo=timezone.utc)
NOT_AFTER = datetime(2049, 12, 31, tzinfo=timezone.utc)
WEEK = timedelta(days=7)
HOUR = timedelta(hours=1)

_serials = itertools.count(0x5EED_0000_0001)


@cache
def private_key(kind: KeyKind, label: str) -> PrivateKey:
    """Return the key of this kind that is for `label`; the same one all process long."""
    del label
    if kind == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    if kind.startswith("rsa"):
        return rsa.generate_private_key(65537, 1024 if kind == "rsa1024" else 2048)
    return ec.generate_private_key(ec.SECP384R1() if kind == "ec384" else ec.SECP256R1())


@dataclass(frozen=True)
class Issued:
    """A certificate, its key, and the intermediates above it, without the root."""

    cert: Certificate
    key: PrivateKey
    chain: tuple[Certificate, ...] = ()
    issuer: Issued | None = None
    """Who signed it; None where it signed itself."""

    @property
    def issuer_cert(self) -> Certificate:
        return self.issuer.cert if self.issuer else self.cert

    @property
    def fullchain(self) -> bytes:
        return pem(self.cert, *self.chain)

    @property
    def key_pem(self) -> bytes:
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    @property
    def der(self) -> bytes:
        return self.cert.public_bytes(Encoding.DER)

    @property
    def sha256(self) -> str:
        """What staplecfg calls its fingerprint."""
        return self.cert.fingerprint(hashes.SHA256()).hex()

    def write(self, directory: Path, stem: str) -> tuple[Path, Path]:
        """Write `<stem>.pem` (leaf, then intermediates) and `<stem>.key`; return both paths."""
        fullchain, key = directory / f"{stem}.pem", directory / f"{stem}.key"
        fullchain.write_bytes(self.fullchain)
        key.touch(mode=0o600)
        key.write_bytes(self.key_pem)
        return fullchain, key


def pem(*certificates: Certificate) -> bytes:
    return b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates)


@dataclass(frozen=True)
class Authority:
    """A root, an intermediate it issued, and whatever the two are asked to sign."""

    root: Issued
    intermediate: Issued
    label: str = field(default="", repr=False)

    @classmethod
    def create(
        cls,
        name: str = "Honest",
        *,
        key: KeyKind = "ec",
        keys: str = "",
        not_before: datetime = NOT_BEFORE,
        not_after: datetime = NOT_AFTER,
        intermediate_not_after: datetime | None = None,
    ) -> Authority:
        """Build an authority; another `keys` gives one of the same names and other keys."""
        label = f"{name}/{keys}"
        root = issue(
            f"{name} Root",
            private_key(key, f"{label}/root"),
            None,
            ca=True,
            not_before=not_before,
            not_after=not_after,
        )
        intermediate = issue(
            f"{name} Intermediate",
            private_key(key, f"{label}/intermediate"),
            root,
            ca=True,
            not_before=not_before,
            not_after=intermediate_not_after or not_after,
        )
        return cls(root, intermediate, label)

    def leaf(
        self,
        names: Sequence[str] = ("www.example",),
        *,
        responders: Sequence[str] = (),
        must_staple: bool = False,
        ca_issuers: Sequence[str] = (),
        not_before: datetime = NOT_BEFORE,
        not_after: datetime = NOT_AFTER,
        key: KeyKind = "ec",
        issuer: Issued | None = None,
        digest: Digest = "sha256",
        serial: int | None = None,
        common_name: str | None = None,
        extensions: Sequence[x509.ExtensionType] = (),
    ) -> Issued:
        """Issue a server certificate for names and addresses, by the intermediate if not told."""
        more: list[x509.ExtensionType] = [x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])]
        if names:
            more.append(x509.SubjectAlternativeName([_general_name(name) for name in names]))
        if responders or ca_issuers:
            more.append(_access(responders, ca_issuers))
        if must_staple:
            more.append(x509.TLSFeature([x509.TLSFeatureType.status_request]))
        return issue(
            common_name or (names[0][:64] if names else "nameless"),
            private_key(key, f"{self.label}/leaf"),
            issuer or self.intermediate,
            not_before=not_before,
            not_after=not_after,
            digest=digest,
            serial=serial,
            extensions=[*more, *extensions],
        )

    def delegate(
        self,
        *,
        issuer: Issued | None = None,
        purpose: Purpose | None = "ocsp",
        nocheck: bool = True,
        ca: bool = False,
        digital_signature: bool | None = True,
        not_before: datetime = NOT_BEFORE,
        not_after: datetime = NOT_AFTER,
        key: KeyKind = "ec",
        digest: Digest = "sha256",
        name: str = "Responder",
        extensions: Sequence[x509.ExtensionType] = (),
        critical: Sequence[x509.ExtensionType] = (),
    ) -> Issued:
        """Issue a responder's certificate, by the intermediate if not told; any part may lie."""
        more: list[x509.ExtensionType] = (
            [x509.ExtendedKeyUsage(_purposes(purpose))] if purpose else []
        )
        if nocheck:
            more.append(x509.OCSPNoCheck())
        if digital_signature is not None:
            more.append(_key_usage(digital_signature=digital_signature))
        return issue(
            name,
            private_key(key, f"{self.label}/{name}"),
            issuer or self.intermediate,
            ca=ca,
            not_before=not_before,
            not_after=not_after,
            digest=digest,
            extensions=[*more, *extensions],
            critical=critical,
        )

    def sub_authority(self, name: str = "Sub", *, key: KeyKind = "ec") -> Issued:
        """Issue a certificate authority below the intermediate."""
        return issue(name, private_key(key, f"{self.label}/{name}"), self.intermediate, ca=True)

    def cross_sign(self, other: Issued, *, not_after: datetime = NOT_AFTER) -> Issued:
        """Issue a twin of `other` (same name, same key) under this root."""
        return issue(other.cert.subject, other.key, self.root, ca=True, not_after=not_after)

    def respond(
        self,
        about: Issued | Certificate,
        *,
        now: datetime,
        status: Status = "good",
        this_update: datetime | bytes | None = None,
        next_update: datetime | bytes | timedelta | None = WEEK,
        produced_at: datetime | bytes | None = None,
        digest: Digest = "sha1",
        serial: int | None = None,
        name_hash: bytes | None = None,
        key_hash: bytes | None = None,
        revoked_at: datetime | None = None,
        revocation_reason: int | None = None,
        single_extensions: Sequence[bytes] = (),
        also: Sequence[Single] = (),
        before: Sequence[Single] = (),
        extensions: Sequence[bytes] = (),
        signer: Issued | None = None,
        responder: Issued | None = None,
        by: Literal["key", "name"] = "key",
        certificates: Sequence[Issued | Certificate] | None = None,
        signed_with: Digest = "sha256",
        pss: bool = False,
        version: int | None = None,
        kind: str = responses.BASIC,
        response_status: int = 0,
        forge: bool = False,
        issuer: Issued | None = None,
    ) -> bytes:
        """Return a DER response about `about`: honest, unless an argument says otherwise.

        `next_update` as a timedelta counts from `now`; None leaves it out.
        `signer` signs (the certificate's issuer if not told) and is embedded
        where it is not the issuer; `responder` is who the response claims
        signed it. `also` and `before` are further SingleResponses. `forge`
        spoils the signature. `response_status` other than 0 sends no answer.
        """
        if response_status:
            return responses.response(response_status, None)
        issuer = issuer or self._issuer(about)
        signer = signer or issuer
        this_update = this_update if this_update is not None else now - HOUR
        single = replace(
            self.single(about, now=now, digest=digest, status=status, issuer=issuer),
            this_update=this_update,
            next_update=now + next_update if isinstance(next_update, timedelta) else next_update,
            revoked_at=revoked_at,
            revocation_reason=revocation_reason,
            extensions=tuple(single_extensions),
        )
        single = replace(
            single,
            serial=single.serial if serial is None else serial,
            name_hash=single.name_hash if name_hash is None else name_hash,
            key_hash=single.key_hash if key_hash is None else key_hash,
        )
        tbs = responses.response_data(
            responder=_responder_id(responder or signer, by),
            produced_at=this_update if produced_at is None else produced_at,
            singles=[*before, single, *also],
            extensions=extensions,
            version=version,
        )
        algorithm, signature = responses.sign(
            signer.key, tbs + b"forged" if forge else tbs, signed_with, pss=pss
        )
        if certificates is None:
            certificates = [signer] if signer.cert != issuer.cert else []
        embedded = [_certificate(one).public_bytes(Encoding.DER) for one in certificates]
        return responses.response(0, responses.basic(tbs, algorithm, signature, embedded), kind)

    def single(
        self,
        about: Issued | Certificate,
        *,
        now: datetime,
        status: Status = "good",
        digest: Digest = "sha1",
        issuer: Issued | None = None,
    ) -> Single:
        """Return the honest SingleResponse about `about`: an hour old, good for a week."""
        issuer = issuer or self._issuer(about)
        certificate = _certificate(about)
        return Single(
            serial=certificate.serial_number,
            name_hash=responses.fingerprint(digest, certificate.issuer.public_bytes()),
            key_hash=responses.fingerprint(digest, responses.key_bits(issuer.cert)),
            this_update=now - HOUR,
            next_update=now + WEEK,
            status=status,
            digest=digest,
        )

    def _issuer(self, about: Issued | Certificate) -> Issued:
        if isinstance(about, Issued):
            return about.issuer or about
        return self.root if about.issuer == self.root.cert.subject else self.intermediate


def issue(
    name: str | x509.Name,
    key: PrivateKey,
    issuer: Issued | None,
    *,
    ca: bool = False,
    not_before: datetime = NOT_BEFORE,
    not_after: datetime = NOT_AFTER,
    digest: Digest = "sha256",
    serial: int | None = None,
    extensions: Sequence[x509.ExtensionType] = (),
    critical: Sequence[x509.ExtensionType] = (),
) -> Issued:
    """Sign a certificate for `key`; `issuer` None signs it with itself."""
    subject = _name(name) if isinstance(name, str) else name
    signer = issuer.key if issuer else key
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.cert.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(next(_serials) if serial is None else serial)
        .not_valid_before(not_before)
        .not_valid_after(not_after)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
    )
    if ca and not any(isinstance(extension, x509.KeyUsage) for extension in extensions):
        builder = builder.add_extension(_key_usage(certificates=True), critical=True)
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    for extension in critical:
        builder = builder.add_extension(extension, critical=True)
    honest = None if isinstance(signer, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    certificate = builder.sign(signer, honest)
    if digest != "sha256":
        certificate = resign(certificate, signer, digest)
    chain = (issuer.cert, *issuer.chain) if issuer and issuer.issuer else ()
    return Issued(certificate, key, chain, issuer)


def resign(certificate: Certificate, key: PrivateKey, digest: Digest) -> Certificate:
    """Return `certificate` signed with a hash that `cryptography` no longer signs with."""
    serial_first = asn1.parts(certificate.tbs_certificate_bytes)
    algorithm, _ = responses.sign(key, b"", digest, pss=False)
    tbs = asn1.sequence(*serial_first[:2], algorithm, *serial_first[3:])
    algorithm, signature = responses.sign(key, tbs, digest, pss=False)
    return x509.load_der_x509_certificate(asn1.sequence(tbs, algorithm, asn1.bits(signature)))


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _access(
    responders: Sequence[str], ca_issuers: Sequence[str]
) -> x509.AuthorityInformationAccess:
    methods = [(AuthorityInformationAccessOID.OCSP, url) for url in responders]
    methods += [(AuthorityInformationAccessOID.CA_ISSUERS, url) for url in ca_issuers]
    return x509.AuthorityInformationAccess(
        [
            x509.AccessDescription(method, x509.UniformResourceIdentifier(url))
            for method, url in methods
        ]
    )


def _purposes(purpose: Purpose) -> list[x509.ObjectIdentifier]:
    if purpose == "any":
        return [ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE]
    ocsp = [ExtendedKeyUsageOID.OCSP_SIGNING] if "ocsp" in purpose else []
    return ocsp + ([ExtendedKeyUsageOID.SERVER_AUTH] if "server" in purpose else [])


def _key_usage(*, digital_signature: bool = True, certificates: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=not digital_signature,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=certificates,
        crl_sign=certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _certificate(one: Issued | Certificate) -> Certificate:
    return one.cert if isinstance(one, Issued) else one


def _responder_id(responder: Issued, by: Literal["key", "name"]) -> bytes:
    if by == "name":
        return asn1.explicit(1, responder.cert.subject.public_bytes())
    bits = responses.key_bits(responder.cert)
    return asn1.explicit(2, asn1.octets(responses.fingerprint("sha1", bits)))
