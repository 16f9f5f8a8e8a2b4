# Copyright: The staplecfg engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Asking about all that one host says is due, and how far a control node goes for it."""

from __future__ import annotations

import base64

from ansible_collections.staplecfg.stapling.plugins.module_utils._runner import Trouble
from ansible_collections.staplecfg.stapling.plugins.plugin_utils._answer import seconds
from ansible_collections.staplecfg.stapling.plugins.plugin_utils._cache import Entry

MOST_ASKED = 1000
"""Questions that one task asks for one host: whoever owns a host makes as many certificates as he likes."""
MOST_SILENT = 3
"""Of the same responders: one that is dead takes a minute each time."""
MOST_WAITED = 600.0
"""Seconds of one host's task that may go by without an answer."""


class Round:
    """What came of asking for one host, whose ``rows`` say what it holds of each certificate.

    ``told`` has for each certificate the entry, and whether a responder was asked for it just now; ``fetched``
    are those about which one was asked; ``responses`` are for the host, DER in base64.
    """

    def __init__(self, asking, rows):
        self._asking = asking
        self._rows = {each["fingerprint"]: each for each in rows}
        self._limits = _Limits(asking)
        self.told = {}
        self.fetched = []
        self.responses = []

    def ask(self, group):
        """Ask for one response about all of ``group``, and about each alone where there is none."""
        if len(group) > 1:
            try:
                if self._asked(group):
                    return
            except Trouble:
                # Of which one it was, asking about each alone will tell.
                pass
        for each in group:
            try:
                # Two that the host has already tell it, once handed in, that no common one is to be had.
                self._asked([each], again=len(group) > 1)
            except Trouble as trouble:
                self._tell([each], Entry(problem=str(trouble), outcome="unreachable"), False)

    def _asked(self, group, again=False):
        """Ask about ``group`` at once; returns whether that is all that can be said of it.

        What the host has already is of use ``again``.
        """
        held = [self._rows.get(each["fingerprint"], {}) for each in group]
        # One response about several is better than one about each, also where it is as old.
        since = _since([each.get("staple") for each in held], again or len(group) > 1)
        chains = tuple(each["chain"] for each in group)
        entry, asked = self._limits.entry(chains, since, tuple(held[0].get("responders", ())))
        usable = entry.usable(self._asking.now(), since)
        if asked:
            new = (each["fingerprint"] for each in group)
            self.fetched += [each for each in new if each not in self.fetched]
        if len(group) > 1 and entry.outcome == "rejected" and not usable:
            return False
        if usable:
            self.responses.append(base64.b64encode(entry.der).decode("ascii"))
        self._tell(group, entry, asked)
        return True

    def _tell(self, group, entry, asked):
        for each in group:
            self.told[each["fingerprint"]] = entry, asked


def _since(staples, as_old):
    """Return since when all that the host holds says so, None where it lacks something of use.

    Just before that where one that is ``as_old`` is of use too.
    """
    if any(each is None or each["freshness"] == "expired" for each in staples):
        return None
    newest = max(seconds(each["this_update"]) for each in staples)
    return newest - 1 if as_old else newest


class _Limits:
    """How far a control node goes for one host in one task; what it knows already is handed over all the same."""

    def __init__(self, asking):
        self._asking = asking
        self._asked = 0
        self._waited = 0.0
        self._silent = {}

    def entry(self, chains, since, responders):
        """Return what is known of the leaves of ``chains``, and whether a responder was asked; raises Trouble."""
        reason = self._reason(responders)
        began = self._asking.now()
        try:
            entry, asked = self._asking.entry(chains, since, may_ask=reason is None)
        except Trouble:
            # Nothing is remembered of it, and it took a run of the tool all the same.
            self._asked += 1
            raise
        if asked:
            self._asked += 1
            if entry.outcome == "unreachable":
                self._silent[responders] = self._silent.get(responders, 0) + 1
                self._waited += self._asking.now() - began
        elif reason is not None and not entry.usable(began, since) and not entry.problem:
            entry = Entry(problem=reason)
        return entry, asked

    def _reason(self, responders):
        if self._asked >= MOST_ASKED:
            return f"nobody was asked: a task asks {MOST_ASKED} times for a host at most; run it again"
        if self._silent.get(responders, 0) >= MOST_SILENT:
            return f"nobody was asked: its responder has just not answered about {MOST_SILENT} others; run it again later"
        if self._waited >= MOST_WAITED:
            return f"nobody was asked: {MOST_WAITED:.0f} seconds have gone by without an answer; run it again later"
        return None
