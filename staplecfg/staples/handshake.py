"""One full TLS handshake in which the server is asked for its staple (RFC 6066, section 8).

Nothing is verified here: the probe wants to see what a server presents,
whatever it is. No session is ever resumed, for a resumed one carries no staple.
"""

from __future__ import annotations

import contextlib
import select
import time
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final, TypeAlias

from OpenSSL import SSL, crypto

from staplecfg.model.probe import Refused, Tls
from staplecfg.staples.connect import connect, send_proxy_header, wait

if TYPE_CHECKING:
    import socket

    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.x509 import Certificate

    from staplecfg.model.probe import Target

    ClientIdentity: TypeAlias = tuple[Certificate, EllipticCurvePrivateKey | RSAPrivateKey]


class Key(Enum):
    """The family of a certificate's key, by which a server with two certificates chooses."""

    RSA = "RSA"
    ECDSA = "ECDSA"


PROTOCOL_VERSION: Final = 70
"""The alert of a server that does not speak the version (RFC 8446, 6.2)."""
UNRECOGNIZED_NAME: Final = 112
"""The alert of a server that knows no such name (RFC 6066, section 3)."""

_VERSIONS = {Tls.V1_2: SSL.TLS1_2_VERSION, Tls.V1_3: SSL.TLS1_3_VERSION}
# The weakest server is to be seen too: no security level. A server with two
# certificates presents the one that the offered TLS 1.2 ciphers can be used with.
_CIPHERS: dict[Key | None, bytes] = {
    None: b"ALL:COMPLEMENTOFDEFAULT:!aNULL:!PSK:!SRP:@SECLEVEL=0",
    Key.RSA: b"ALL:COMPLEMENTOFDEFAULT:!aNULL:!PSK:!SRP:!aECDSA:@SECLEVEL=0",
    Key.ECDSA: b"ALL:COMPLEMENTOFDEFAULT:!aNULL:!PSK:!SRP:!aRSA:@SECLEVEL=0",
}

# RFC 8446, 4.2.3, as OpenSSL names them.
_SIGNATURES: dict[Key, bytes] = {
    Key.RSA: b"RSA-PSS+SHA256:RSA-PSS+SHA384:RSA-PSS+SHA512:RSA+SHA256:RSA+SHA384:RSA+SHA512",
    Key.ECDSA: b"ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512",
}


@dataclass(frozen=True, slots=True)
class Handshaken:
    """What came with the server's certificate: `chain` in DER, the leaf first; None is no staple.

    `problem` says what ended the handshake after that, where it was not
    finished: a server that demands a client's certificate shows its staple first.
    """

    chain: tuple[bytes, ...]
    staple: bytes | None
    version: Tls
    problem: str | None = None

    @property
    def leaf(self) -> bytes:
        """The certificate the server presented for itself, in DER."""
        return self.chain[0]


@dataclass(slots=True)
class _Seen:
    """What the callbacks have seen so far."""

    chain: tuple[bytes, ...] = ()
    staple: bytes | None = None
    alert: int | None = None


def handshake(
    target: Target,
    *,
    name: str | None,
    version: Tls,
    timeout: float = 5.0,
    key: Key | None = None,
    identity: ClientIdentity | None = None,
) -> Handshaken | Refused:
    """Connect to `target`, ask for `name` by SNI in TLS `version`, and say what came.

    `timeout` is in seconds and bounds the whole exchange, however slowly the
    peer drips. `key` chooses between a server's two certificates. `identity` is
    presented where the server asks for a certificate.
    """
    try:
        sni = None if name is None else _server_name(name)
    except UnicodeError:
        return Refused(f'"{name}" is no name that can be asked for', connected=False)
    deadline = time.monotonic() + timeout
    try:
        connected = connect(target, deadline)
    except OSError as error:
        return Refused(_words(error, timeout), connected=False)
    with connected as connection:
        seen = _Seen()
        tls = SSL.Connection(_context(version, key, identity, seen), connection)
        tls.request_ocsp()
        if sni is not None:
            tls.set_tlsext_host_name(sni)
        tls.set_connect_state()
        try:
            if target.proxy_protocol:
                send_proxy_header(connection, deadline)
            _shake_hands(tls, connection, deadline)
        except (SSL.Error, crypto.Error, OSError) as error:
            problem = _words(error, timeout)
            if not seen.chain:
                return Refused(problem, alert=seen.alert)
            return Handshaken(seen.chain, seen.staple, version, problem)
        # An orderly end; the peer may have gone, and owes us nothing any more.
        with contextlib.suppress(SSL.Error, OSError):
            tls.shutdown()
    if not seen.chain:
        return Refused("the server presented no certificate")
    return Handshaken(seen.chain, seen.staple, version)


def _context(
    version: Tls, key: Key | None, identity: ClientIdentity | None, seen: _Seen
) -> SSL.Context:
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_min_proto_version(_VERSIONS[version])
    context.set_max_proto_version(_VERSIONS[version])
    context.set_cipher_list(_CIPHERS[key])
    if key is not None and version is Tls.V1_3:
        _sign_only_by(key, context)
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.set_verify(SSL.VERIFY_NONE)
    if identity is not None:
        certificate, private_key = identity
        context.use_certificate(certificate)
        context.use_privatekey(private_key)

    def certificate_seen(tls: SSL.Connection, staple: bytes, _: object) -> bool:
        # As octets: a certificate `cryptography` cannot read is presented all the same.
        presented = tls.get_peer_cert_chain() or []
        seen.chain = tuple(crypto.dump_certificate(crypto.FILETYPE_ASN1, one) for one in presented)
        seen.staple = staple or None
        return True

    def something_happened(_: SSL.Connection, where: int, value: int) -> None:
        if where & SSL.SSL_CB_ALERT and value & 0xFF:
            seen.alert = value & 0xFF

    context.set_ocsp_client_callback(certificate_seen)
    context.set_info_callback(something_happened)
    return context


def _sign_only_by(key: Key, context: SSL.Context) -> None:
    """Let the server sign by `key` alone: what TLS 1.3 has in the place of such ciphers."""
    # pyOpenSSL has no name of its own for it (26.4); these members have stood since its beginning.
    library = SSL._lib  # type: ignore[attr-defined] # see above  # noqa: SLF001
    done = library.SSL_CTX_set1_sigalgs_list(context._context, _SIGNATURES[key])  # noqa: SLF001
    if done != 1:
        raise ValueError("OpenSSL knows none of the signature algorithms")


def _server_name(name: str) -> bytes:
    """Return `name` as SNI has it: A-labels, no final dot (RFC 6066, section 3)."""
    if "\0" in name:
        raise UnicodeError("NUL in a name")
    return name.rstrip(".").encode("idna")


def _shake_hands(tls: SSL.Connection, connection: socket.socket, deadline: float) -> None:
    while True:
        try:
            tls.do_handshake()
        except SSL.WantReadError:
            wait(connection, select.POLLIN, deadline)
        except SSL.WantWriteError:
            wait(connection, select.POLLOUT, deadline)
        else:
            return


def _words(error: Exception, timeout: float) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer within {timeout:g} s"
    if isinstance(error, SSL.SysCallError):
        return "the connection was closed in the middle of the handshake"
    if isinstance(error, SSL.Error):
        reasons = error.args[0] if error.args else ()
        said = ", ".join(reason for _, _, reason in reasons)
        return f"the handshake failed: {said}" if said else "the handshake failed"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return str(error) or "the handshake failed"
