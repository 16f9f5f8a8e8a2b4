# Copyright: The staplecfg engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Asking on a host's behalf: what the cache knows, and the responder where that is not enough."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import time

from ansible_collections.staplecfg.stapling.plugins.module_utils._runner import ENVIRONMENT, PLACES, PROGRAM, Runner, Trouble
from ansible_collections.staplecfg.stapling.plugins.plugin_utils._answer import seconds
from ansible_collections.staplecfg.stapling.plugins.module_utils._staples import problem_of
from ansible_collections.staplecfg.stapling.plugins.plugin_utils._cache import CacheTrouble, Entry

MOST = 65536
"""Characters of PEM that a host may send: a leaf and its issuer are two or three thousand."""
AFTER_ASKING = 3600.0
"""Seconds before a responder that had nothing newer is asked again, as the tool itself has it."""
AFTER_FAILURE = 300.0
AFTER_REFUSAL = 86400.0
"""Seconds before a responder that answers about one certificate at a time is asked about several again, likewise."""
ABOUT_ONE = ("revoked", "unknown")
"""Why a response about several is rejected that speaks of one of them."""
LONGEST = 240.0
"""Seconds for one run of the tool, which needs a minute at most; others wait for its lock a little longer."""


class NoTool(Exception):
    """There is no such program on the control node; the message says what to do."""


class Slow(Trouble):
    """The tool did not end; that is remembered like a responder that does not answer."""


def runner(executable, environment, longest=LONGEST):
    """Return the runner for the control node; raises NoTool where there is no executable."""
    path = os.pathsep.join([*PLACES, environment.get("PATH", os.defpath)])
    found = shutil.which(executable or PROGRAM, path=path)
    if found is None:
        raise NoTool(
            f"there is no such program on the control node: {executable or PROGRAM}; install staplecfg there"
            " (controller_executable says where it is), or let the hosts ask themselves (fetch_on=host)"
        )

    def call(argv):
        try:
            done = subprocess.run(
                argv,
                env={**environment, **ENVIRONMENT},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                check=False,
                timeout=longest,
            )
        except subprocess.TimeoutExpired:
            raise Slow(f"{argv[0]} {argv[1]} on the control node did not end within {longest:.0f} seconds") from None
        except OSError as error:
            raise Trouble(f"{argv[0]} on the control node cannot be run: {error.strerror}") from None
        return done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")

    return Runner(found, call)


class Asking:
    """Asks through ``tool()``, with the tool's ``words``; keeps what comes in ``cache``."""

    def __init__(self, tool, words, cache, clock=time.time):
        self._tool = tool
        self._words = words
        self._cache = cache
        self._clock = clock

    def now(self):
        """Return the time by which entries are judged."""
        return self._clock()

    def entry(self, chains, newer_than=None, may_ask=True):
        """Return what is known of the leaves of ``chains`` (PEM), and whether a responder was asked for it just now.

        Of several it is one response about all of them. ``newer_than`` is since when the response holds that the
        host has already, None where it has none. Raises CacheTrouble, NoTool, and Trouble where the tool could not ask.
        """
        length = sum(map(len, chains))
        if length > MOST:
            raise Trouble(f"a host sent {length} characters of certificates; at most {MOST} are taken")
        # The issuer is part of it: a host that lies about it harms nobody but itself. So is how is asked:
        # who allows a network is not told what came of it without.
        key = hashlib.sha256("\0".join([*self._words, *chains]).encode("utf-8", "surrogateescape")).hexdigest()
        try:
            with self._cache.holding(key):
                known = self._cache.read(key)
                if not may_ask or not known.worth_asking(self._clock(), newer_than):
                    return known, False
                told = self._asked(chains, known)
                self._cache.write(key, told)
                return told, True
        except OSError as error:
            raise CacheTrouble(f"{error.filename or 'the cache'}: cannot be used: {error.strerror}") from None

    def _asked(self, chains, known):
        with self._cache.scratch() as scratch:
            files = [os.path.join(scratch, f"{number}.pem") for number in range(len(chains))]
            for path, chain in zip(files, chains):
                with open(path, "w", encoding="utf-8", errors="surrogateescape") as file:
                    file.write(chain)
            der = os.path.join(scratch, "staple.der")
            beside = [f"--beside={path}" for path in files[1:]]
            try:
                document = self._tool().run("fetch", files[0], f"--output={der}", *beside, *self._words)
            except Slow as slow:
                document = {"judgement": {"verdict": "unreachable", "problem": str(slow), "reason": None}}
            judgement = document["judgement"]
            if judgement["verdict"] == "good":
                with open(der, "rb") as file:
                    return self._good(file.read(), judgement["staple"])
        singly = document.get("only_singly")
        if singly is False and judgement["verdict"] == "rejected" and judgement["reason"] not in ABOUT_ONE:
            # It has a bad moment: asking about each alone would end the asking about all.
            judgement = {**judgement, "verdict": "unreachable"}
        return self._failed(judgement, known, AFTER_REFUSAL if singly else AFTER_FAILURE)

    def _good(self, der, staple):
        return Entry(
            der=der,
            this_update=seconds(staple["this_update"]),
            due=seconds(staple["due"]),
            expires=seconds(staple["expires"]),
            not_before=self._clock() + AFTER_ASKING,
        )

    def _failed(self, judgement, known, wait):
        """Return ``known`` with how asking failed; an older response may yet be good enough."""
        known.outcome = judgement["verdict"]
        known.problem = problem_of(judgement)
        known.revoked = judgement["reason"] == "revoked"
        known.not_before = self._clock() + wait
        return known
