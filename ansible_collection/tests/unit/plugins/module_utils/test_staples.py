# Copyright: The staplecfg engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.staplecfg.stapling.plugins.module_utils._staples import lacking, problem_of

RENEWAL = {"certificate": "/x.pem", "fingerprint": "ff", "outcome": "unreachable", "detail": "it is down"}
ROW = {"fingerprint": "ff", "responders": ["http://x"], "must_staple": False, "revoked_at": None, "staple": None}
GOOD = {"freshness": "due"}


@pytest.mark.parametrize(
    "row",
    [
        {"staple": GOOD},
        {"responders": []},
        {"fingerprint": "00"},
    ],
)
def test_nobody_is_needed(row):
    assert lacking([RENEWAL], [{**ROW, **row}]) == []


def test_what_is_not_asked_for_is_not_missed():
    assert lacking([], [ROW]) == []


@pytest.mark.parametrize(
    "row, renewal, words",
    [
        ({}, {}, "/x.pem: has no staple that may be served: it is down"),
        ({"staple": {"freshness": "expired"}}, {}, "/x.pem: has no staple that may be served: it is down"),
        ({"responders": [], "must_staple": True}, {}, "/x.pem: has no staple that may be served: it is down"),
        ({"staple": GOOD, "revoked_at": "2026-01-01T00:00:00Z"}, {}, "/x.pem: is revoked: replace the certificate and its key"),
        ({"staple": GOOD}, {"revoked": True}, "/x.pem: is revoked: replace the certificate and its key"),
    ],
)
def test_somebody_is_needed(row, renewal, words):
    assert lacking([{**RENEWAL, **renewal}], [{**ROW, **row}]) == [words]


@pytest.mark.parametrize(
    "judgement, said",
    [
        ({"problem": None, "hint": None}, None),
        ({"problem": "it is down", "hint": None}, "it is down"),
        ({"problem": "it is private", "hint": "add --allow-network"}, "it is private (add --allow-network)"),
    ],
)
def test_what_would_help_is_said(judgement, said):
    assert problem_of(judgement) == said
