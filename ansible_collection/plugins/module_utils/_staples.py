# Copyright: The staplecfg engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What ocsp_staple and its action plugin share: the options, and when a host is left without."""

from __future__ import annotations

OWN = {
    "certificate": {"type": "path"},
    "issuer": {"type": "path"},
    "path": {"type": "path", "aliases": ["dest"]},
    "fetch_on": {"type": "str", "choices": ["controller", "host"], "default": "controller"},
    "responses": {"type": "list", "elements": "str"},
    "required": {"type": "bool", "default": True},
    "reload": {"type": "bool", "default": True},
    "controller_executable": {"type": "path"},
    "controller_settings": {"type": "path"},
    "controller_trust": {"type": "list", "elements": "path"},
    "controller_cache": {"type": "path"},
}
ALWAYS = {"renewals": [], "fetched": [], "reloaded": False}
"""Returned, besides what every module returns, also by a run that came to nothing."""
OF_A_FILE = ("mode", "owner", "group", "attributes", "selevel", "serole", "setype", "seuser")
REQUIRED_BY = {"path": ["certificate"], "issuer": ["path"], **{name: ["path"] for name in OF_A_FILE}}


def problem_of(judgement):
    """Return in words why a judgement is not good, and what would help; None where it is good."""
    problem, hint = judgement["problem"], judgement.get("hint")
    return f"{problem} ({hint})" if hint else problem


def lacking(renewals, staples):
    """Return a line for each certificate of ``renewals`` that is left without a staple, or is revoked.

    One that names no responder is none of them, unless it demands a staple (RFC 7633).
    """
    rows = {each["fingerprint"]: each for each in staples}
    found = []
    for each in renewals:
        row = rows.get(each["fingerprint"])
        if row is None or not (row["responders"] or row["must_staple"]):
            continue
        if row["revoked_at"] or each.get("revoked"):
            found.append(f"{each['certificate']}: is revoked: replace the certificate and its key")
        elif row["staple"] is None or row["staple"]["freshness"] == "expired":
            found.append(f"{each['certificate']}: has no staple that may be served: {each['detail']}")
    return found
