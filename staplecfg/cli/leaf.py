"""A certificate named on the command line, with its issuer from wherever it is known."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from staplecfg.loading import certificates
from staplecfg.machine.disk import Disk
from staplecfg.model.chain import NoChain
from staplecfg.model.errors import NotUnderstood, Unreadable
from staplecfg.model.source import Location
from staplecfg.pki import pem

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable

    from cryptography.x509 import Certificate

    from staplecfg.model.chain import Chain
    from staplecfg.model.settings import Settings


def add_certificate(parser: argparse.ArgumentParser, *, positional: bool) -> None:
    """Add the certificate, as the command's subject or as an option, and its issuer."""
    text = "PEM file: the certificate first, then its chain"
    if positional:
        parser.add_argument("certificate", metavar="CERTIFICATE", help=text)
    else:
        parser.add_argument("--certificate", metavar="FILE", required=True, help=text)
    parser.add_argument(
        "--issuer", metavar="FILE", help="PEM file with the issuer, where the chain lacks it"
    )


def add_beside(parser: argparse.ArgumentParser) -> None:
    """Add the certificates that one response must be about too."""
    parser.add_argument(
        "--beside",
        metavar="FILE",
        action="append",
        default=[],
        help="want one response that is about this certificate too, as a block of nginx with"
        " several needs it; may be repeated",
    )


def beside_of(options: argparse.Namespace, settings: Settings) -> tuple[Chain, ...]:
    """Return the chains that `--beside` names; raises `NotUnderstood` where there is none."""
    issuers = issuers_of(options)
    return tuple(chain_at(Path(each), settings, issuers=issuers) for each in options.beside)


def require_issuers(chains: Iterable[Chain]) -> None:
    """Raise `NotUnderstood` for the first of `chains` whose issuer is not known."""
    for chain in chains:
        if chain.issuer is None:
            raise NotUnderstood(
                "its issuer is not known, so nothing can be judged",
                at=Location(chain.path),
                hint="name a PEM file that holds it with --issuer",
            )


def chain_of(options: argparse.Namespace, settings: Settings) -> Chain:
    """Return the chain that `options` name; raises `NotUnderstood` where there is none.

    Its issuer is the one in the file, in `--issuer`, among the trusted roots,
    or in the system's store, whichever verifies the leaf's signature.
    """
    chain = chain_at(Path(options.certificate), settings, issuers=issuers_of(options))
    if options.issuer is not None and chain.issuer is None:
        raise NotUnderstood(
            "none of its certificates issued the one asked about",
            at=Location(PurePosixPath(Path(options.issuer).absolute())),
            hint=f"the issuer is {chain.leaf.issuer.rfc4514_string()}",
        )
    return chain


def content(file: str, expected: str) -> bytes:
    """Return what `file` holds; raises `Unreadable`, whose hint names what was `expected`."""
    try:
        return Disk(Path("/")).read(PurePosixPath(Path(file).absolute()))
    except Unreadable as error:
        hint = error.hint or f"name {expected}"
        raise Unreadable(error.problem, at=error.at, hint=hint) from None


def chain_at(file: Path, settings: Settings, *, issuers: tuple[Certificate, ...] = ()) -> Chain:
    """Return the chain in `file`, its issuer from wherever it is known, `issuers` among them.

    Raises `NotUnderstood` where there is no certificate in it.
    """
    here = Disk(Path("/"))
    path = PurePosixPath(file.absolute())
    roots = (*certificates.trusted_roots(here, settings.trust), *certificates.system_roots(here))
    chain = certificates.read(here, path, (*issuers, *roots))
    if isinstance(chain, NoChain):
        hint = chain.hint or "name a PEM file: the certificate first, then its chain"
        raise NotUnderstood(chain.problem, at=Location(path), hint=hint)
    return chain


def issuers_of(options: argparse.Namespace) -> tuple[Certificate, ...]:
    """Return the certificates that `--issuer` names; raises where it cannot be read."""
    if options.issuer is None:
        return ()
    path = PurePosixPath(Path(options.issuer).absolute())
    try:
        return pem.certificates(content(options.issuer, "a PEM file that holds the issuer"))
    except NotUnderstood as error:
        raise NotUnderstood(error.problem, at=Location(path), hint=error.hint) from None
