# Copyright: The staplecfg engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The changes of a document as Ansible's diff: an entry for each file."""

from __future__ import annotations

MOST = 104448
"""Bytes of text, as in ansible.builtin.copy; longer files would be compared for minutes."""

SHOWN = ("config", "link", "unit", "staple")
"""Not what the tool notes for itself: its record, and the snippet that names the current staple."""


def diff(changes):
    """Return an entry for each of ``changes`` that an administrator would want to see."""
    return [_entry(change) for change in changes if change["kind"] in SHOWN]


AWAITED = "to be fetched from the responder\n"
"""What stands for a staple in check mode, for nobody knows what it will say."""


def renewed(place, before, after):
    """Return the entry for a staple that took the place of another, or that would: then ``after`` is None."""
    header = f"{place} (staple)"
    return {
        "before_header": header,
        "after_header": header,
        "before": _said(before) if before else "",
        "after": _said(after) if after else AWAITED,
    }


def _said(staple):
    names = ("serial", "cert_status", "this_update", "next_update")
    return "".join(f"{name}: {staple[name]}\n" for name in names)


def _entry(change):
    header = f"{change['path']} ({change['kind']})"
    if max(_size(change["before"]), _size(change["after"])) > MOST:
        return {"prepared": f"{header}: {change['op']}; too long to be shown\n"}
    return {
        "before_header": header,
        "after_header": header,
        "before": _content(change["before"]),
        "after": _content(change["after"]),
    }


def _size(content):
    return len((content or {}).get("text", ""))


def _content(content):
    if content is None:
        return ""
    if "link" in content:
        return f"-> {content['link']}\n"
    if "text" in content:
        return content["text"]
    lines = [f"sha256: {content['sha256']}\n"] + [_said(answer) for answer in content["answers"]]
    return "".join(lines)
