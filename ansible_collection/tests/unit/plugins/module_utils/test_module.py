# Copyright: The staplecfg engineers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.staplecfg.stapling.plugins.module_utils._module import SELECTION, TOOL, flags, place, returned, without_chains

NAMES = (*TOOL, *SELECTION, "offline", "replace", "config_only")


@pytest.mark.parametrize(
    "params, words",
    [
        ({}, []),
        ({"sites": None, "offline": False}, []),
        ({"sites": []}, []),
        ({"executable": "/opt/x"}, []),
        ({"offline": True}, ["--offline"]),
        ({"config_only": True}, ["--config-only"]),
        ({"sites": ["a", "-b c"]}, ["--site=a", "--site=-b c"]),
        ({"exclude": ["a"]}, ["--exclude=a"]),
        ({"allow_networks": ["10.0.0.0/8"]}, ["--allow-network=10.0.0.0/8"]),
        ({"template_dirs": ["/t"]}, ["--template-dir=/t"]),
        ({"trust": ["/a", "/b"]}, ["--trust=/a", "--trust=/b"]),
        ({"state_dir": "/s", "reload_command": "a b"}, ["--state-dir=/s", "--reload-command=a b"]),
    ],
)
def test_options_become_flags(params, words):
    assert flags(params, NAMES) == words


def test_contents_are_for_the_diff_alone():
    change = {"path": "/x", "kind": "config", "op": "modify", "before": {"text": "secret"}, "after": None}

    assert returned({"changes": [change]})["changes"] == [{"path": "/x", "kind": "config", "op": "modify"}]


def test_every_return_value_is_there_without_a_document():
    assert returned({}) == {"changes": [], "findings": [], "sites": [], "staples": [], "tool_version": None}


def test_chains_are_left_out():
    assert without_chains([{"outcome": "due", "chain": "PEM"}]) == [{"outcome": "due"}]


@pytest.mark.parametrize(
    "finding, words",
    [
        ({"line": 3, "hint": "do"}, "/x:3: wrong [rule] (do)"),
        ({"line": None, "hint": None}, "/x: wrong [rule]"),
    ],
)
def test_a_finding_is_one_line(finding, words):
    assert place({"file": "/x", "problem": "wrong", "rule": "rule", **finding}) == words
