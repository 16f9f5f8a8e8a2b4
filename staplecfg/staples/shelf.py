"""The store, read for whoever asks by CertID: only what may be served at this very moment.

Nothing is believed for having been there before: a file that was replaced is
judged anew, and an answer past its end is not given.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from staplecfg.pki.certid import certids

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from staplecfg.model.chain import Chain
    from staplecfg.model.settings import Floors
    from staplecfg.model.staple import Staple
    from staplecfg.pki.response import CertID
    from staplecfg.staples.store import Store

PAUSE = 0.05
"""Seconds between two looks at the directory: thousands may come while one run writes thousands."""
TICK = 2_000_000_000
"""Nanoseconds within which two changes of a directory may bear the same time."""


@dataclass(slots=True)
class _Volume:
    """One certificate, and what its file held when it was last looked at."""

    chain: Chain
    path: Path
    mark: tuple[int, int, int] | None = None
    staple: Staple | None = None


class Shelf:
    """What `store` holds, by CertID; not for several threads."""

    def __init__(
        self, store: Store, *, floors: Floors, ticks: Callable[[], float] = time.monotonic
    ) -> None:
        """Go by `store`; `ticks` counts seconds."""
        self._store = store
        self._skew = floors.skew
        self._ticks = ticks
        self._volumes: dict[str, _Volume] = {}
        self._by_certid: dict[CertID, _Volume] = {}
        self._next_look = float("-inf")
        self._mark: int | None = None
        self._settled = False

    def knows(self, certid: CertID) -> bool:
        """Say whether `certid` is of a certificate that staples are kept for."""
        self._look()
        return certid in self._by_certid

    def staple(self, certid: CertID, now: datetime) -> Staple | None:
        """Return what may be answered about `certid` at `now`, or None."""
        self._look()
        volume = self._by_certid.get(certid)
        if volume is None:
            return None
        self._read_again(volume, now)
        staple = volume.staple
        if staple is None or now >= staple.expires or staple.this_update > now + self._skew:
            return None
        return staple

    def __len__(self) -> int:
        """Return how many certificates are known."""
        self._look()
        return len(self._volumes)

    def _look(self) -> None:
        """Learn of certificates that came and went since the directory was last read."""
        at = self._ticks()
        if at < self._next_look:
            return
        self._next_look = at + PAUSE
        mark = self._directory_time()
        if mark == self._mark and self._settled:
            return
        # A change right after this look may bear the same time: then look once more.
        self._settled = mark is None or abs(time.time_ns() - mark) > TICK
        self._mark = mark
        known = self._store.known()
        for gone in self._volumes.keys() - known:
            self._forget(self._volumes.pop(gone))
        for fingerprint in known - self._volumes.keys():
            chain = self._store.chain(fingerprint)
            if chain is not None and chain.issuer is not None:
                volume = _Volume(chain, self._store.path(fingerprint))
                self._volumes[fingerprint] = volume
                self._by_certid.update(dict.fromkeys(certids(chain.leaf, chain.issuer), volume))

    def _forget(self, volume: _Volume) -> None:
        if volume.chain.issuer is not None:
            for certid in certids(volume.chain.leaf, volume.chain.issuer):
                self._by_certid.pop(certid, None)

    def _read_again(self, volume: _Volume, now: datetime) -> None:
        """Judge the file of `volume` anew if it is not the one that was judged before."""
        try:
            status = os.lstat(volume.path)
            mark = (status.st_mtime_ns, status.st_ino, status.st_size)
        except OSError:
            volume.mark, volume.staple = None, None
            return
        if mark != volume.mark:
            volume.staple = self._store.load(volume.chain, now).staple
            # A thing judged bad for its time may be good later: a clock that was set.
            volume.mark = mark if volume.staple is not None else None

    def _directory_time(self) -> int | None:
        try:
            return self._store.directory.stat().st_mtime_ns
        except OSError:
            return None
