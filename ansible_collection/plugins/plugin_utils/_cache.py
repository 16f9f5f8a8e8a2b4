# Copyright: The staplecfg engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the control node has been told by responders: a file for each certificate, one writer at a time.

Plays run a process for each host. Whichever comes first about a certificate asks; the
others wait for its lock and find the answer.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import re
import shutil
import tempfile
import time

PATIENCE = 300.0
"""Seconds to wait for whoever is asking: some responders take a minute, and three may be asked."""
BETWEEN = 0.1
FORGOTTEN = 30 * 86400.0
"""Seconds after which what nobody has written to is removed: certificates are replaced, and runs are killed."""


SCRATCH = "staplecfg-asking-"
OURS = re.compile(rf"([0-9a-f]{{64}}\.(json|lock)|{SCRATCH}\w+)\Z")
"""What may be removed: the directory is of the user's choice, and may hold other things."""


class CacheTrouble(Exception):
    """The cache cannot be used; the message is for a person."""


class Entry:
    """What is known of one certificate: the last good response, and how the last asking ended.

    Times are seconds since the epoch. ``not_before`` says when to ask again, should anyone need to.
    ``outcome`` is "rejected" or "unreachable" where there is a ``problem``.
    """

    FIELDS = ("der", "this_update", "due", "expires", "not_before", "outcome", "problem", "revoked")

    def __init__(self, **known):
        for name in self.FIELDS:
            setattr(self, name, known.get(name))

    def usable(self, now, newer_than):
        """Say whether its response may be handed to a host that holds one of ``newer_than`` or none."""
        if self.der is None or self.revoked or not now < self.expires:
            return False
        return newer_than is None or self.this_update > newer_than

    def worth_asking(self, now, newer_than):
        """Say whether a responder should be asked for that host's sake."""
        if self.not_before is None:
            return True
        if self.usable(now, newer_than) and now < self.due:
            return False
        return now >= self.not_before


class Cache:
    """The directory; raises CacheTrouble where others may write into it."""

    def __init__(self, directory):
        self._directory = os.path.abspath(directory)
        try:
            os.makedirs(self._directory, mode=0o700, exist_ok=True)
            status = os.stat(self._directory)
        except OSError as error:
            raise CacheTrouble(f"{self._directory}: cannot be made: {error.strerror}") from None
        if status.st_uid != os.geteuid() or status.st_mode & 0o022:
            raise CacheTrouble(f"{self._directory}: belongs to somebody else, or others may write into it")

    @contextlib.contextmanager
    def holding(self, key):
        """Hold the lock of ``key``."""
        descriptor = os.open(self._path(key, "lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            _lock(descriptor, self._path(key, "lock"))
            os.utime(descriptor)
            yield
        finally:
            os.close(descriptor)

    def scratch(self):
        """Return a directory of one's own, gone when it is left."""
        return tempfile.TemporaryDirectory(dir=self._directory, prefix=SCRATCH)

    def read(self, key):
        """Return the entry of ``key``; an empty one where nothing sensible is known."""
        try:
            with open(self._path(key, "json"), encoding="ascii") as file:
                known = json.load(file)
            if known["der"] is not None:
                known["der"] = base64.b64decode(known["der"], validate=True)
            return Entry(**{name: known[name] for name in Entry.FIELDS})
        except (OSError, ValueError, KeyError, TypeError):
            return Entry()

    def write(self, key, entry):
        """Keep ``entry``, whole or not at all."""
        known = {name: getattr(entry, name) for name in Entry.FIELDS}
        if entry.der is not None:
            known["der"] = base64.b64encode(entry.der).decode("ascii")
        descriptor, temporary = tempfile.mkstemp(dir=self._directory, prefix=SCRATCH)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            json.dump(known, file)
        os.replace(temporary, self._path(key, "json"))
        self._tidy()

    def _tidy(self):
        """Remove what is old; who should need it again asks again."""
        with os.scandir(self._directory) as found:
            for each in list(found):
                with contextlib.suppress(OSError):
                    if not OURS.match(each.name) or time.time() - each.stat(follow_symlinks=False).st_mtime < FORGOTTEN:
                        continue
                    if each.is_dir(follow_symlinks=False):
                        shutil.rmtree(each.path)
                    else:
                        os.unlink(each.path)

    def _path(self, key, kind):
        return os.path.join(self._directory, f"{key}.{kind}")


def _lock(descriptor, path):
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise CacheTrouble(f"{path}: another play has held it for {PATIENCE:.0f} seconds") from None
            time.sleep(BETWEEN)
