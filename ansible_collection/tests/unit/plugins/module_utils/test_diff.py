# Copyright: The staplecfg engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.staplecfg.stapling.plugins.module_utils._diff import MOST, diff, renewed

STAPLE = {"serial": "5e", "cert_status": "good", "this_update": "2026-01-01T00:00:00Z", "next_update": "2026-01-08T00:00:00Z"}
SAID = "serial: 5e\ncert_status: good\nthis_update: 2026-01-01T00:00:00Z\nnext_update: 2026-01-08T00:00:00Z\n"


def change(before, after, kind="config", op="modify"):
    return {"path": "/etc/x", "kind": kind, "op": op, "before": before, "after": after}


@pytest.mark.parametrize("kind", ["record", "snippet"])
def test_what_the_tool_notes_for_itself_is_not_shown(kind):
    assert diff([change(None, {"text": "a"}, kind)]) == []


@pytest.mark.parametrize(
    "content, text",
    [
        (None, ""),
        ({"text": "a\n"}, "a\n"),
        ({"link": "../b"}, "-> ../b\n"),
        ({"size": 3, "sha256": "ff", "answers": [STAPLE]}, "sha256: ff\n" + SAID),
        ({"size": 3, "sha256": "ff", "answers": []}, "sha256: ff\n"),
    ],
)
def test_a_file_is_an_entry(content, text):
    (made,) = diff([change(content, content)])

    assert made["before"] == made["after"] == text
    assert made["before_header"] == made["after_header"] == "/etc/x (config)"


def test_a_long_file_is_not_compared():
    (made,) = diff([change({"text": "x"}, {"text": "x" * (MOST + 1)})])

    assert made == {"prepared": "/etc/x (config): modify; too long to be shown\n"}


@pytest.mark.parametrize(
    "before, after, texts",
    [
        (None, None, ("", "to be fetched from the responder\n")),
        (STAPLE, None, (SAID, "to be fetched from the responder\n")),
        (None, STAPLE, ("", SAID)),
    ],
)
def test_a_renewed_staple_is_an_entry(before, after, texts):
    made = renewed("/x.pem", before, after)

    assert (made["before"], made["after"]) == texts
    assert made["after_header"] == "/x.pem (staple)"
