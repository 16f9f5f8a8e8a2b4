"""Certificate files as configured, and the roots that chains may end in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from staplecfg.model.chain import Chain, NoChain
from staplecfg.model.errors import StaplecfgError, Unreadable
from staplecfg.model.source import Location
from staplecfg.pki import chain as pki
from staplecfg.pki import pem
from staplecfg.pki.trust import Trusted, trust

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from cryptography.x509 import Certificate

    from staplecfg.model.filesystem import Filesystem
    from staplecfg.model.site import Site

SYSTEM_STORES = (
    PurePosixPath("/etc/ssl/certs/ca-certificates.crt"),  # Debian, Ubuntu, Arch, Alpine
    PurePosixPath("/etc/pki/tls/certs/ca-bundle.crt"),  # Red Hat and its kin
    PurePosixPath("/etc/ssl/ca-bundle.pem"),  # SUSE
)


def chains(
    files: Filesystem, sites: Iterable[Site], roots: tuple[Certificate, ...]
) -> Mapping[PurePosixPath, Chain | NoChain]:
    """Return what each certificate file that `sites` name says, by configured path.

    A file with nothing behind its certificate is completed from the file whose
    certificates are sent with it, if the server has such a one, and a file without
    its issuer from `roots`: a root that signed the leaf itself is rightly left out.
    """
    beside: dict[PurePosixPath, set[PurePosixPath]] = {}
    for certificate in (each for site in sites for each in site.certificates):
        if certificate.path is not None:
            more = {certificate.sent_with} if certificate.sent_with is not None else set()
            beside.setdefault(certificate.path, set()).update(more)
    return {
        path: _completed(read(files, path, ()), files, sorted(more), roots)
        for path, more in sorted(beside.items())
    }


def _completed(
    found: Chain | NoChain,
    files: Filesystem,
    beside: Iterable[PurePosixPath],
    roots: tuple[Certificate, ...],
) -> Chain | NoChain:
    if isinstance(found, NoChain):
        return found
    for path in beside if not found.others else ():
        try:
            others = tuple(one for one in pem.certificates(files.read(path)) if one != found.leaf)
        except StaplecfgError:
            # The server does not start with such a file; what is said is that no issuer is known.
            continue
        if pki.with_issuer(found, others).issuer is not None:
            return replace(pki.with_issuer(found, others), others=others)
    return pki.with_issuer(found, roots)


def read(
    files: Filesystem, path: PurePosixPath, candidates: tuple[Certificate, ...]
) -> Chain | NoChain:
    """Return what the certificate file `path` says; its issuer may be among `candidates`."""
    try:
        data = files.read(path)
    except Unreadable as error:
        return NoChain(path, error.problem, error.hint)
    found = pki.read_chain(data, path)
    if isinstance(found, Chain) and found.issuer is None:
        return pki.with_issuer(found, candidates)
    return found


def private(chain: Chain, roots: tuple[Certificate, ...], now: datetime) -> bool:
    """Say whether `chain` ends in one of the `roots` that the user vouches for."""
    return bool(roots) and isinstance(trust(chain, roots, now), Trusted)


def system_roots(files: Filesystem) -> tuple[Certificate, ...]:
    """Return the roots the system trusts: the first store there is; none where there is none."""
    for path in SYSTEM_STORES:
        try:
            return pem.certificates(files.read(path))
        except StaplecfgError:
            # Without a store nothing is said about trust; staples are judged by the issuer alone.
            continue
    return ()


def trusted_roots(files: Filesystem, paths: Iterable[PurePosixPath]) -> tuple[Certificate, ...]:
    """Return the roots in `paths` that the user vouches for; raises where one cannot be read."""
    roots: list[Certificate] = []
    for path in paths:
        try:
            roots += pem.certificates(files.read(path))
        except StaplecfgError as error:
            raise type(error)(
                f"--trust: {error.problem}", at=Location(path), hint=error.hint
            ) from None
    return tuple(roots)
