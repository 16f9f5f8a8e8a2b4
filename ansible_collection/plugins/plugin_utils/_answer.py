# Copyright: The staplecfg engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a host answered, taken only where it makes sense: a host may be of another version, or somebody else's."""

from __future__ import annotations

import calendar
import time

from ansible_collections.staplecfg.stapling.plugins.module_utils._module import returned
from ansible_collections.staplecfg.stapling.plugins.module_utils._staples import ALWAYS

WHOLE = {**returned({}), **ALWAYS}
"""What ocsp_staple returns, whatever became of it."""
NOTHING = type(None)
RENEWAL = {"certificate": str, "fingerprint": str, "outcome": str, "detail": str}
ROW = {"fingerprint": str, "responders": list, "must_staple": bool, "revoked_at": (str, NOTHING), "staple": (dict, NOTHING)}
STAPLE = {"this_update": str, "expires": str, "freshness": str}


class Nonsense(Exception):
    """The module never answers that; the message is for a person."""


def seconds(moment):
    """Return an RFC 3339 time in UTC as seconds since the epoch; raises ValueError for what is none."""
    return float(calendar.timegm(time.strptime(moment, "%Y-%m-%dT%H:%M:%SZ")))


def due_of(answer):
    """Return the renewals of ``answer`` that somebody is to be asked about; raises Nonsense where it makes none."""
    if answer.get("failed"):
        return []
    for each in _rows(answer, "renewals", RENEWAL):
        chain = each.get("chain", "")
        if not isinstance(chain, str) or not chain.isascii():
            raise Nonsense("the host's answer makes no sense: renewals: chain is no PEM")
        beside = each.get("beside", [])
        if not isinstance(beside, list) or not all(isinstance(other, str) for other in beside):
            raise Nonsense("the host's answer makes no sense: renewals: beside")
    for each in _rows(answer, "staples", ROW):
        if not all(isinstance(url, str) for url in each["responders"]):
            raise Nonsense("the host's answer makes no sense: staples: responders")
        if each["staple"] is not None:
            _require(each["staple"], "staple", STAPLE)
            _require_moment(each["staple"]["this_update"])
    return [each for each in answer["renewals"] if "chain" in each]


def groups_of(due):
    """Return ``due`` in groups: those about which the host wants one response, and each other by itself.

    Raises Nonsense where they do not agree on that.
    """
    known = {each["fingerprint"]: each for each in due}
    groups = {}
    for each in due:
        fingerprints = sorted({each["fingerprint"], *each.get("beside", [])})
        if not known.keys() >= set(fingerprints):
            raise Nonsense("the host's answer makes no sense: renewals: beside a certificate that is not due")
        groups[tuple(fingerprints)] = [known[fingerprint] for fingerprint in fingerprints]
    if sum(map(len, groups)) > len(known):
        raise Nonsense("the host's answer makes no sense: renewals: one certificate beside two")
    return list(groups.values())


def _rows(answer, name, wanted):
    rows = answer.get(name)
    if not isinstance(rows, list):
        raise Nonsense(f"the host's answer makes no sense: {name} is no list")
    for each in rows:
        _require(each, name, wanted)
    return rows


def _require(each, name, wanted):
    if not isinstance(each, dict):
        raise Nonsense(f"the host's answer makes no sense: {name} holds what is no dictionary")
    for key, kind in wanted.items():
        if not isinstance(each.get(key), kind):
            raise Nonsense(f"the host's answer makes no sense: {name}: {key} is missing or of another kind")


def _require_moment(text):
    try:
        seconds(text)
    except ValueError:
        raise Nonsense("the host's answer makes no sense: staple: this_update is no time") from None
