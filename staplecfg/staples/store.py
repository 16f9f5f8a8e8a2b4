"""Where staples are kept between runs: one file a leaf, named by its SHA-256.

No server reads these files. What lies here is believed no more than what comes
over the network: it is judged again whenever it is read.
"""

from __future__ import annotations

import errno
import os
import stat
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, TypeAlias

from cryptography.hazmat.primitives.serialization import Encoding

from staplecfg.machine.replace import make_directories, write
from staplecfg.model.chain import Chain
from staplecfg.model.facts import Attempts, Stored
from staplecfg.model.staple import CertStatus
from staplecfg.model.verdict import Good
from staplecfg.pki.chain import read_chain
from staplecfg.pki.judge import Purpose, judge
from staplecfg.pki.pem import written
from staplecfg.staples.attempts import attempts_from_json, attempts_to_json
from staplecfg.staples.issuer import issuer_in

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from cryptography.x509 import Certificate

    from staplecfg.model.settings import Floors
    from staplecfg.model.staple import Staple

MOST = 64 * 1024
MODE = 0o644

CERTIFICATES = ".crt"


@dataclass(frozen=True, slots=True)
class Saved:
    """The staple is in the store, on the disk."""

    path: Path


@dataclass(frozen=True, slots=True)
class Kept:
    """What was there stays: `why` it is no worse."""

    staple: Staple
    why: str


Saving: TypeAlias = "Saved | Kept"


class Store:
    """The directory `store` below `state_dir`. Whoever writes holds the lock."""

    def __init__(
        self, state_dir: Path, *, floors: Floors, allow_sha1_signature: bool = False
    ) -> None:
        """Go by `state_dir`; nothing is read or made before it is asked for."""
        self.directory = state_dir / "store"
        self._floors = floors
        self._allow_sha1 = allow_sha1_signature

    def path(self, fingerprint: str) -> Path:
        """Return where the staple of the leaf `fingerprint` is kept."""
        return self.directory / f"{fingerprint}.der"

    def load(self, chain: Chain, now: datetime) -> Stored:
        """Return what is kept for the leaf of `chain`, judged at `now`.

        A file that is something else, about another certificate or not to be
        believed, is reported and stays where it is; a good one from the
        network takes its place.
        """
        path = self.path(chain.fingerprint)
        try:
            der = _read(path)
        except FileNotFoundError:
            return Stored(None)
        except OSError as error:
            return Stored(None, f"{path}: {(error.strerror or str(error)).lower()}")
        if chain.issuer is None:
            return Stored(None, f"{path}: cannot be judged, the certificate's issuer is not known")
        judgement = judge(
            der,
            chain.leaf,
            chain.issuer,
            now=now,
            floors=self._floors,
            purpose=Purpose.KEPT,
            allow_sha1=self._allow_sha1,
        )
        if isinstance(judgement, Good):
            return Stored(judgement.staple)
        return Stored(None, f"{path}: {judgement.problem}")

    def save(self, staple: Staple, chain: Chain, *, now: datetime, shared: bool = False) -> Saving:
        """Keep `staple` for the leaf of `chain`, unless what is kept is at least as good.

        `shared` says that it is about the leaf's neighbours too, and so better
        than another of the same age.
        Raises `ValueError` for a staple of another leaf or one that is not
        good, which is a bug of the caller's, and `NotApplied`, with the kept
        one as it was, where the system refuses.
        """
        if staple.fingerprint != chain.fingerprint:
            raise ValueError("the staple is about another certificate")
        if staple.status is not CertStatus.GOOD:
            raise ValueError(f"a staple that says {staple.status.value} is never kept")
        present = self.load(chain, now).staple
        if present is not None and (why := _no_worse(present, staple, shared=shared)) is not None:
            return Kept(present, why)
        path = self.path(chain.fingerprint)
        if self.chain(chain.fingerprint) is None:
            self._write_certificates(chain)
        self._write(path, staple.der)
        return Saved(path)

    def remember(self, chain: Chain) -> None:
        """Keep the leaf of `chain` and its issuer too: who answers by CertID must know both.

        Written once for each leaf; raises `NotApplied` where the system refuses.
        """
        if not self._certificates_path(chain.fingerprint).exists():
            self._write_certificates(chain)

    def known(self) -> frozenset[str]:
        """Return the fingerprints of all leaves remembered; none where there is no store."""
        try:
            found = [each for each in self.directory.iterdir() if each.suffix == CERTIFICATES]
        except OSError:
            return frozenset()
        # What was fetched of an issuer has a name with two dots.
        return frozenset(each.stem for each in found if "." not in each.stem)

    def chain(self, fingerprint: str) -> Chain | None:
        """Return the leaf `fingerprint` with its issuer as remembered, or None."""
        path = self._certificates_path(fingerprint)
        try:
            found = read_chain(_read(path), PurePosixPath(path))
        except OSError:
            return None
        if not isinstance(found, Chain) or found.fingerprint != fingerprint:
            return None
        return found

    def attempts(self, fingerprint: str) -> Attempts:
        """Return what is noted about the leaf `fingerprint`; nothing where it is unreadable."""
        try:
            return attempts_from_json(_read(self._side_car(fingerprint)), fingerprint)
        except OSError:  # no note is a good note: it only means asking sooner
            return Attempts(fingerprint)

    def record(self, attempts: Attempts) -> None:
        """Note `attempts`; raises `NotApplied` where the system refuses."""
        self._write(self._side_car(attempts.fingerprint), attempts_to_json(attempts))

    def issuer(self, chain: Chain) -> Certificate | None:
        """Return the issuer fetched earlier for the leaf of `chain`, if it did issue that leaf."""
        try:
            kept = _read(self._issuer_path(chain.fingerprint))
        except OSError:  # it can be fetched again
            return None
        return issuer_in(kept, chain.leaf)

    def save_issuer(self, chain: Chain, issuer: Certificate) -> None:
        """Keep `issuer`, which was fetched for the leaf of `chain`; raises `NotApplied`."""
        self._write(self._issuer_path(chain.fingerprint), issuer.public_bytes(Encoding.DER))

    def _side_car(self, fingerprint: str) -> Path:
        return self.directory / f"{fingerprint}.json"

    def _write_certificates(self, chain: Chain) -> None:
        if chain.issuer is not None:
            both = written((chain.leaf, chain.issuer))
            self._write(self._certificates_path(chain.fingerprint), both)

    def _certificates_path(self, fingerprint: str) -> Path:
        return self.directory / f"{fingerprint}{CERTIFICATES}"

    def _issuer_path(self, fingerprint: str) -> Path:
        return self.directory / f"{fingerprint}.issuer.crt"

    def _write(self, path: Path, data: bytes) -> None:
        make_directories(self.directory)
        write(path, data, mode=MODE)


def _no_worse(present: Staple, staple: Staple, *, shared: bool) -> str | None:
    """Say why `present` is at least as good as `staple`, or return None where it is not."""
    if staple.this_update < present.this_update:
        return "the kept one is newer"
    if shared and staple.der != present.der:
        return None
    if staple.this_update == present.this_update and staple.expires <= present.expires:
        return "the kept one is the same, or lives as long"
    return None


def _read(path: Path) -> bytes:
    """Return what the regular file `path` holds; raises `OSError` where it is anything else.

    Not blocking and not following: someone may have put a pipe or a link here.
    """
    # os.open: pathlib has no flags.
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "is not a regular file")
        if status.st_size > MOST:
            raise OSError(errno.EFBIG, f"is larger than {MOST} bytes")
        return file.read(MOST)
