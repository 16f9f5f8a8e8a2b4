# Copyright: The staplecfg engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.staplecfg.stapling.plugins.modules.ocsp_stapling_info import together

CHECK = {"server": {"name": "nginx"}, "sites": [], "staples": [{"fingerprint": "aa"}, {"fingerprint": "bb"}], "findings": [], "status": 0, "version": "1.0.0"}
STATUS = {"staples": [{"fingerprint": "bb", "condition": "fresh", "attention": None, "sites": ["x"]}], "targets": [], "status": 0}


def test_what_is_in_use_is_told_of_what_is_there():
    first, second = together(CHECK, STATUS, {})["staples"]

    assert first == {"fingerprint": "aa", "condition": None, "attention": None, "sites": None}
    assert second == {"fingerprint": "bb", "condition": "fresh", "attention": None, "sites": ["x"]}


@pytest.mark.parametrize("check, status, expected", [(0, 0, False), (1, 0, True), (0, 1, True)])
def test_attention_is_either_documents(check, status, expected):
    assert together({**CHECK, "status": check}, {**STATUS, "status": status}, {})["attention"] is expected


def test_nothing_is_ever_changed():
    assert together(CHECK, STATUS, {"probes": [1]})["changed"] is False
